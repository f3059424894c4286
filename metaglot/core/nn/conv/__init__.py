"""A 3x3 convolution of stride 2 whose kernel each task may adapt for itself, differentiable to any order."""
