"""What is measured, and the command that measures it: `python -m benchmarks`."""

import stages  # noqa: F401  # which sets how threads wait, as in a training, before torch is imported
