import pytest

from cluster.node_versions import check_versions, versions
from metaglot.core.common.errors import UserError


def test_a_node_with_the_same_versions_is_accepted() -> None:
    check_versions("b", versions(), versions())


@pytest.mark.parametrize("name", ["Python", "torch", "learn2learn"])
def test_a_node_with_another_version_is_refused_by_name(name: str) -> None:
    with pytest.raises(UserError, match=rf"node b has {name} 0\.1, not {versions()[name]}: install the packages"):
        check_versions("b", versions(), versions() | {name: "0.1"})
