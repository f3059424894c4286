"""What stages share: the command line, paths, the device, checkpoints, signals, progress, timing.

No stage and no algorithm lives here.
"""
