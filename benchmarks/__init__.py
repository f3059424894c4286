"""The project's benchmarks: `python -m benchmarks` measures and reports."""

import stages  # noqa: F401  # sets how threads wait, as in a training, before torch is imported
