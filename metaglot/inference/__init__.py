"""Use a trained network on your own images: load a run's folder, adapt to a few labelled images, classify others.

Files, labels and messages for people live here. Training, scoring and drawing data do not.
"""
