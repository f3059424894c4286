"""Meta-training: the optimiser, the loop with its validation, the checks of its gradient, the CUDA graph engine.

It never imports metaglot.evaluation, so a new test metric makes no training stale.
"""
