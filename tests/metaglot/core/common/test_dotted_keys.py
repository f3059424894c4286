from metaglot.core.common.dotted_keys import flatten


def test_values_of_any_depth_have_dotted_keys_in_order_and_empty_sections_none() -> None:
    nested = {"b": {"c": {"d": [1]}, "a": None}, "empty": {}, "a": 2}
    assert list(flatten(nested)) == [("b.c.d", [1]), ("b.a", None), ("a", 2)]
