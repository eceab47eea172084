"""Every installed node type keeps the contract; the catalogue is what its folders say."""

import pytest

from flows.contract import NodeType
from nodes import catalog
from nodes.testing import check_contract


@pytest.mark.parametrize("node", catalog().values(), ids=lambda node: node.type)
def test_every_node_type_keeps_the_contract(node: NodeType) -> None:
    check_contract(node)
