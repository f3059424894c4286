"""Batch norm and ReLU of every task at once, with a gradient of the gradient that is worth its time."""
