"""What every meta-learner shares: the base classes, the inner loop, the batched engine and learn2learn's.

No algorithm's own idea lives here, no meta-training loop and nothing that only the evaluation needs.
"""
