"""One file for each meta-learner, showing its own idea and nothing else."""
