"""What every training and every test computes with."""
