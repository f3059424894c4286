"""Batch norm and ReLU of every task at once, with a second derivative that is written out."""
