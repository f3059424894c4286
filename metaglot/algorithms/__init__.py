"""The meta-learning algorithms, one file each, and the registry that names them.

An algorithm imports no other algorithm, and only the registry knows them all.
"""
