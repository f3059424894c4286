"""From params.yaml to the config of each stage: parsing, validation, error messages, resolved values.

Only `configure` imports this package. Values and limits are defined where they are used, not here.
"""
