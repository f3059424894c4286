"""Many runs at once: on the cores of this machine, on a Ray cluster, or by any scheduler.

A run is one algorithm from one seed: its `train` and `evaluate` stages. Results come home as entries of DVC's run
cache.
"""
