"""Layers of a pile: which are joined, what a mixture of them is, what a part of one takes.

Source: docs/ledger.md, "Continuous nodes".
"""

from custody import layers
from custody.carried import NOTHING_CARRIED, size_of
from custody.held import Carried
from custody.kinds import FIFO, PERFECT, Kind
from custody.layer_known import bytes_of
from custody.layers import LAYERS_BYTES, LAYERS_MAX
from custody.process_rows import EXACT, Layer

PILE = Kind("stockpile", continuous=True, mixing=FIFO)


def layer(dry: int, name: str = "A", **metals: int) -> Layer:
    return Layer(dry + 1, dry, metals, Carried({name: 1.0}, {}, {}, {"@a": dry}))


def test_perfect_mixing_keeps_one_layer() -> None:
    some = [layer(1), layer(2, "B"), layer(3)]
    layers.settle(some, PILE._replace(mixing=PERFECT))
    [one] = some
    assert (one.wet, one.dry, one.carried.attributes) == (9, 6, {"@a": 6})
    assert one.carried.origins == {"A": 4 / 6, "B": 2 / 6}
    nothing: list[Layer] = []
    layers.settle(nothing, PILE._replace(mixing=PERFECT))
    assert nothing == []


def test_64_layers_are_kept() -> None:
    some = [layer(no) for no in range(1, LAYERS_MAX + 1)]
    before = list(some)
    layers.settle(some, PILE)
    assert some == before


def test_of_65_the_two_neighbours_with_the_least_are_joined() -> None:
    """Three of 1 g apart by one of 9 g: the least pair of neighbours is 3 g and 4 g."""
    some = [layer(50) for _ in range(LAYERS_MAX + 1)]
    some[10:15] = [layer(1), layer(9), layer(1), layer(4, "B"), layer(3, "C")]
    layers.settle(some, PILE)
    assert len(some) == LAYERS_MAX
    assert [one.dry for one in some[10:14]] == [1, 9, 5, 3]
    assert some[12].carried.origins == {"A": 0.2, "B": 0.8}


def test_of_equal_pairs_the_oldest_is_joined() -> None:
    some = [layer(5, name=str(no)) for no in range(LAYERS_MAX + 1)]
    layers.settle(some, PILE)
    assert [one.dry for one in some[:3]] == [10, 5, 5]
    assert set(some[0].carried.origins) == {"0", "1"}


def test_the_youngest_pair_may_be_the_least() -> None:
    some = [layer(50) for _ in range(LAYERS_MAX - 1)] + [layer(1), layer(1)]
    layers.settle(some, PILE)
    assert some[-1].dry == 2


def sized(size: int, dry: int) -> Layer:
    """A layer whose origin, attribute and metal take so many bytes."""
    name = "x" * (size - 3 * 24 - 4 - bytes_of(EXACT))
    one = Layer(dry, dry, {"Cu": 1}, Carried({name: 1.0}, {}, {}, {"@a": 1}))
    amounts = size_of(one.carried.origins) + size_of({"@a": 1, "Cu": 1})
    assert amounts + bytes_of(one.known) == size
    return one


def test_layers_that_take_too_many_bytes_are_joined() -> None:
    half = LAYERS_BYTES // 2
    kept = [sized(half, 1), sized(half, 2)]
    layers.settle(kept, PILE)
    assert len(kept) == 2
    # The node says something of its metals beside them.
    layers.settle(beside := [sized(half, 1), sized(half, 2)], PILE, 1)
    assert len(beside) == 1
    joined = [sized(half, 1), sized(half + 1, 2)]
    layers.settle(joined, PILE)
    assert [one.dry for one in joined] == [3]
    alone = [sized(2 * LAYERS_BYTES, 1)]
    layers.settle(alone, PILE)
    assert len(alone) == 1


def test_one_layer_is_its_own_blend() -> None:
    one = layer(5)
    assert layers.blend([one], PILE) is one


def test_a_blend_adds_up_and_weighs_by_dry_mass() -> None:
    one = layers.blend([layer(1, "A", Cu=9, Au=1), layer(3, "B", Cu=1)], PILE)
    assert (one.wet, one.dry, one.metals) == (6, 4, {"Cu": 10, "Au": 1})
    assert one.carried.origins == {"A": 0.25, "B": 0.75}
    assert one.carried.metal_origins["Cu"] == {"A": 0.9, "B": 0.1}


def test_a_separating_node_weighs_by_its_key_metal() -> None:
    circuit = Kind("leach", separating=True, continuous=True, key_analyte="Cu")
    pair = [layer(1, "A", Cu=1), layer(3, "B")]
    assert layers.blend(pair, circuit).carried.origins == {"A": 1.0, "B": 0.0}
    # The same key says nothing of a node that does not separate, nor where nobody knows it.
    assert layers.blend(pair, circuit._replace(separating=False)).carried.origins == {
        "A": 0.25,
        "B": 0.75,
    }
    for unknown in ([layer(1), layer(3, "B")], [layer(1, Cu=0), layer(3, "B", Cu=-4)]):
        assert layers.blend(unknown, circuit).carried.origins == {"A": 0.25, "B": 0.75}


def test_a_layer_that_is_owed_weighs_nothing() -> None:
    assert layers.blend([layer(-1, "A"), layer(3, "B")], PILE).carried.origins == {
        "A": 0.0,
        "B": 1.0,
    }


def test_a_layer_is_resized_in_mass_and_metal_and_keeps_its_attributes() -> None:
    whole = Layer(110, 100, {"Cu": 30}, NOTHING_CARRIED._replace(attributes={"@a": 9}))
    assert layers.resized(whole, 50, 200) == Layer(
        28, 25, {"Cu": 8}, NOTHING_CARRIED._replace(attributes={"@a": 9})
    )


def test_a_cut_takes_its_part_and_leaves_the_rest() -> None:
    """30 of 100 g: 33 of 110 g wet, 3 of 11 mg, 3 of 9 millionths, each rounded."""
    whole = Layer(110, 100, {"Cu": 11}, Carried({"A": 1.0}, {}, {}, {"@a": 9}))
    part, rest = layers.cut(whole, 30)
    assert part == Layer(33, 30, {"Cu": 3}, Carried({"A": 1.0}, {}, {}, {"@a": 3}))
    assert rest == Layer(77, 70, {"Cu": 8}, Carried({"A": 1.0}, {}, {}, {"@a": 6}))


def moist(*masses: tuple[int, int]) -> list[Layer]:
    """Layers of so much wet and dry mass."""
    return [Layer(wet, dry, {}, NOTHING_CARRIED) for wet, dry in masses]


def test_what_leaves_first_is_as_dry_as_the_layers_it_is_of() -> None:
    some = moist((100, 98), (100, 88))
    assert layers.first_out(some, 50, None) == (50, 49)
    assert layers.first_out(some, 100, None) == (100, 98)
    assert layers.first_out(some, 150, None) == (150, 142)
    assert layers.first_out(some, None, 49) == (50, 49)
    assert layers.first_out(some, None, 142) == (150, 142)
    # The dry mass is what layers are taken by, where both are stated.
    assert layers.first_out(some, 7, 98) == (100, 98)


def test_of_more_than_there_is_all_leaves() -> None:
    some = moist((100, 98), (100, 88))
    assert layers.first_out(some, 300, None) == (200, 186)
    assert layers.first_out(some, None, 300) == (200, 186)
    assert layers.first_out(some, 0, None) == (0, 0)
    assert layers.first_out(some, None, None) == (0, 0)
    assert layers.first_out([], 10, None) == (0, 0)


def test_a_layer_that_is_owed_or_has_no_water_leaves_whole() -> None:
    assert layers.first_out(moist((-5, -4), (0, 3), (100, 90)), 10, None) == (5, 8)
