"""What was found by running the pipeline: experiments, their committed numbers, and the pages made of them."""
