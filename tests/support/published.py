"""Published reconciliation networks with their answers: figures, where they are from, where read.

Ends of a stream are nodes by number; 0 is the outside. A mass of None was not measured.

Where read:
    [B] github.com/EDSONCV/dr-ged-benchmarks at 98b250d, data_reconciliation/linear: the spreadsheet
        Problem_data.xls, sheet by problem, and scilab/P*/P*.sce for the incidence. Described in
        E. C. do Valle, R. de A. Kalid, A. R. Secchi, A. Kiperstok, Computers and Chemical
        Engineering (2018), 10.1016/j.compchemeng.2018.01.002.
    [N] github.com/abonyilab/SystemsEngineering at a587b17, notebook 08, after the module
        "Introduction to Data Reconciliation", North Carolina State University and University of
        Ottawa (2003), chapters 2 and 3.
    [K] github.com/jckantor/MathProg-Solver at 5096c5e, examples/DataReconciliation.mod.
    [O] OpenModelica User's Guide, chapter on data reconciliation, at ea25155: model, input files
        and the tables of its figures, which set its results beside those of VDI 2048.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from custody.detect.flowsheet import Flow, Flowsheet
from custody.detect.network import Floats
from custody.estimate import Estimate


class Published(NamedTuple):
    """A network of masses: ends, measurements, their u, and the answer to a given accuracy."""

    ends: Sequence[tuple[int, int]]
    masses: Sequence[float | None]
    u: Sequence[float]
    reconciled: Sequence[float]
    accuracy: float

    def sheet(self) -> Flowsheet:
        """Return the network; streams are S1, S2, ..., nodes N1, N2, ..."""
        nodes = sorted({node for ends in self.ends for node in ends if node})
        flows = [
            Flow(
                f"S{number}",
                f"N{start}" if start else None,
                f"N{end}" if end else None,
                None if mass is None else Estimate(mass, u * u, {}),
            )
            for number, ((start, end), mass, u) in enumerate(
                zip(self.ends, self.masses, self.u, strict=True), start=1
            )
        ]
        return Flowsheet(tuple(f"N{node}" for node in nodes), tuple(flows))


COOLING_WATER = Published(
    # [N] Cooling water of four plants, kt/h; all six flows measured.
    ends=[(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 0)],
    masses=[110.5, 60.8, 35.0, 68.9, 38.6, 101.4],
    u=[0.82, 0.53, 0.46, 0.71, 0.45, 1.2],
    reconciled=[103.24010825, 65.41556049, 37.82454776, 65.41556049, 37.82454776, 103.24010825],
    accuracy=1e-8,
)
COOLING_WATER_COVARIANCE = np.array(
    # [N], upper triangle. It has 0.0693 at (3, 6) and (5, 6); rows 3 and 5 belong to the same flow
    # as column 1 of row 3, which is 0.0639, so two digits changed places in print.
    [
        [0.1753, 0.1114, 0.0639, 0.1114, 0.0639, 0.1753],
        [0.1114, 0.1365, -0.0251, 0.1365, -0.0251, 0.1114],
        [0.0639, -0.0251, 0.0890, -0.0251, 0.0890, 0.0639],
        [0.1114, 0.1365, -0.0251, 0.1365, -0.0251, 0.1114],
        [0.0639, -0.0251, 0.0890, -0.0251, 0.0890, 0.0639],
        [0.1753, 0.1114, 0.0639, 0.1114, 0.0639, 0.1753],
    ]
)
COOLING_WATER_PARTLY = COOLING_WATER._replace(
    # [N] Flows 2, 4 and 6 not measured.
    masses=[110.5, None, 35.0, None, 38.6, None],
    reconciled=[110.5, 73.66, 36.84, 73.66, 36.84, 110.5],
    accuracy=0.005,
)

EXCHANGER = Published(
    # [B] sheet P4. Heat exchanger with bypass: splitter, exchanger, valve, mixer. S. Narasimhan,
    # C. Jordache, Data Reconciliation and Gross Error Detection (2000). True: 100, 64, 36.
    ends=[(0, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 0)],
    masses=[101.91, 64.45, 34.65, 64.20, 36.44, 98.88],
    u=[1.0] * 6,
    reconciled=[100.22, 64.50, 35.72, 64.50, 35.72, 100.22],
    accuracy=0.005,
)
EXCHANGER_GROSS_ERROR = EXCHANGER._replace(
    # [K] The same with a bias of +4 in stream 2, after chapter 1 of the same book.
    masses=[101.91, 68.45, 34.65, 64.20, 36.44, 98.88]
)

WATER_METERS = Published(
    # [B] sheet P12. C. L. Mitsas, Measurement 43 (2010) 702; his own results, two decimals.
    ends=[(0, 1), (1, 2), (1, 3), (1, 4), (2, 3), (2, 3), (2, 3), (3, 5), (4, 5), (4, 6), (5, 6),
          (6, 0)],
    masses=[100.49, 29.46, 40.41, 30.05, 15.17, 4.98, 9.92, 70.68, 10.03, 19.82, 81.06, 101.57],
    u=[1.0, 0.3, 0.4, 0.3, 0.3, 0.1, 0.2, 0.7, 0.3, 0.4, 0.8, 1.0],
    reconciled=[100.59, 29.80, 40.71, 30.07, 15.00, 4.96, 9.84, 70.51, 10.14, 19.93, 80.66, 100.59],
    accuracy=0.01,
)  # fmt: skip

GROSS_ERROR_IN_FEED = Published(
    # [B] sheet P5. Y. Yang, R. Ten, L. Jao, Computers and Chemical Engineering 19 (1995) S217:
    # stream 1 reads 110.1 where 98.7 is true; streams 7 and 8 have no meter. u as in [B].
    ends=[(0, 1), (1, 2), (2, 3), (0, 3), (3, 0), (4, 0), (1, 4), (4, 2)],
    masses=[110.1, 41.1, 79.0, 30.6, 108.3, 19.8, None, None],
    u=[1.7983, 1.3426, 1.2903, 0.9996, 1.7689, 0.6468, 0.0, 0.0],
    reconciled=[],
    accuracy=0.0,
)
WITHOUT_THE_FEED = GROSS_ERROR_IN_FEED._replace(
    # The authors' answer is that of stream 1 left out and u in proportion to the reading. Printed
    # are 78.670867 for stream 3 and 30.536616 for stream 4, but these miss the authors' own balance
    # (in to node 3 109.207, out of it 109.106); with one digit changed in each they meet it.
    masses=[None, 41.1, 79.0, 30.6, 108.3, 19.8, None, None],
    u=[0.0, 0.411, 0.79, 0.306, 1.083, 0.198, 0.0, 0.0],
    reconciled=[98.370824, 41.1, 78.570867, 30.535616, 109.10648, 19.8, 57.270809, 37.47081],
    accuracy=1e-4,
)

STEAM_METERS = Published(
    # [B] sheet and script P15. R. W. Serth, W. A. Heenan, AIChE Journal 32 (1986) 733: a steam
    # metering system, 28 streams, 11 nodes. Readings, u and answer are those of [B].
    ends=[(3, 1), (6, 1), (1, 5), (0, 1), (2, 3), (2, 6), (7, 2), (11, 2), (2, 0), (3, 4), (5, 4),
          (4, 9), (6, 5), (5, 7), (5, 8), (5, 9), (5, 0), (8, 7), (7, 10), (7, 11), (7, 0), (9, 8),
          (8, 10), (8, 0), (9, 0), (10, 11), (0, 10), (0, 11)],
    masses=[0.875, 0.989, 108.426, 107.799, 50.149, 110.327, 2.201, 165.779, 0.821, 51.779, 14.757,
            67.183, 107.734, 89.855, 58.554, 23.258, 31.879, 15.843, 7.92, 10.13, 91.047, 5.555,
            2.471, 44.687, 81.656, 82.839, 70.685, 72.913],
    u=[0.022, 0.025, 2.796, 2.749, 1.332, 2.807, 0.058, 4.101, 0.021, 1.31, 0.372, 1.682, 2.782,
       2.297, 1.5, 0.591, 0.818, 0.406, 0.196, 0.263, 2.183, 0.136, 0.065, 1.166, 2.137, 2.033,
       1.77, 1.806],
    reconciled=[0.8748, 0.9892, 109.1902, 107.3262, 52.0087, 112.031, 2.1971, 162.6638, 0.8213,
                51.1339, 14.7609, 65.8948, 111.0418, 92.5916, 57.9152, 23.1089, 31.8553, 15.9753,
                7.8989, 10.0624, 88.4085, 5.5576, 2.4721, 45.0255, 83.4461, 81.0698, 70.6988,
                71.5316],
    accuracy=0.001,
)  # fmt: skip

MASSES: dict[str, Published] = {
    "cooling water": COOLING_WATER,
    "cooling water, half of it measured": COOLING_WATER_PARTLY,
    "exchanger with bypass": EXCHANGER,
    "water meters": WATER_METERS,
    "gross error left out": WITHOUT_THE_FEED,
    "steam meters": STEAM_METERS,
}


class HeatCircuit(NamedTuple):
    """VDI 2048 part 1 (2000), appendix: steam turbine, with correlated measurements. [O]"""

    measured: Floats
    half_widths: Floats
    constraints: Floats
    reconciled: Floats
    half_widths_reconciled: Floats
    local_tests: dict[int, float]

    @property
    def covariance(self) -> Floats:
        """Variances of half-widths of 95 %; correlations 0.2 and 0.4 of two pairs of meters."""
        u = self.half_widths / 1.96
        covariance = np.diag(u**2)
        for first, second, correlation in ((0, 1, 0.2), (2, 3, 0.4)):
            covariance[first, second] = covariance[second, first] = (
                correlation * u[first] * u[second]
            )
        return covariance


HEAT_CIRCUIT = HeatCircuit(
    # FDKEL, FDKELL, SPL, SPLL, V, HK, A7, A6, A5, HDNK, D. The feed water counts less 0.2 and 0.6,
    # the condensate 0.4 of V; [O] gives the covariances as 0.325385256 and 0.029635569.
    measured=np.array([46.241, 45.668, 44.575, 44.319, 0.525, 69.978, 10.364, 3.744, 4.391, 18.498,
                       2.092]),
    half_widths=np.array([2.5, 2.5, 0.535, 0.532, 0.105, 0.854, 0.168, 0.058, 0.058, 0.205, 0.272]),
    constraints=np.array(
        [
            [1, 1, -1, -1, 0.4, 0, 0, 0, 0, 0, 0],
            [0, 0, 1, 1, -1, -1, -1, -1, -1, 0, 0],
            [0, 0, 0, 0, 0, 0, 1, 1, 1, -1, 0],
        ],
        dtype=np.float64,
    ),
    reconciled=np.array([44.696, 44.123, 44.643, 44.386, 0.524, 70.005, 10.364, 3.744, 4.391,
                         18.499, 2.092]),
    half_widths_reconciled=np.array([1.611, 1.611, 0.425, 0.424, 0.105, 0.615, 0.133, 0.057, 0.057,
                                     0.137, 0.272]),
    # Of [O]. Those of V, A6 and A5 are left out: A5, A6 and A7 are in the same constraints with the
    # same sign, so their tests are equal, and [O] prints two different numbers; that of V does not
    # follow from its printed half-widths.
    local_tests={0: 1.58381, 1: 1.58381, 2: 0.40853, 3: 0.40853, 5: 0.08913, 6: 0.00387312,
                 9: 0.0161013},
)  # fmt: skip

FLOTATION_ENDS = [
    (0, 1), (1, 2), (2, 3), (3, 0), (4, 1), (3, 4), (2, 6), (5, 4), (6, 5), (7, 6), (7, 0), (5, 7)
]  # fmt: skip
FLOTATION_FEED = 691.67
FLOTATION_GRADES = np.array(
    # R. R. Rao, S. Narasimhan, Industrial and Engineering Chemistry Research 35 (1996) 1362: a
    # flotation circuit, 12 streams, three analytes in percent, only the feed weighed. [B], the
    # script nonlinear/scilab/nonlin_rn96_2, which also gives the relative u of 1 %.
    [
        [0.41, 0.86, 0.32, 0.1, 9.6, 12.4, 22.0, 8.1, 22.4, 23.0, 47.5, 34.9],
        [2.58, 2.63, 2.88, 2.94, 3.64, 4.1, 3.52, 4.38, 4.0, 4.82, 2.56, 3.5],
        [4.0, 4.38, 4.5, 4.5, 11.8, 12.8, 12.2, 13.2, 12.4, 14.8, 10.2, 12.2],
    ]
).T
FLOTATION_ANSWERS = {
    # [B] sheet P11, as the paper compares them. Their weights are not given and none is reproduced.
    # Of Crowe's, stream 9 is printed as 15.96, but streams 7 and 10 into the node before it and 8
    # and 12 out of the node behind it both add up to 15.68.
    "Crowe": [691.67, 711.38, 699.47, 687.23, 19.71, 12.24, 11.91, 7.47, 15.68, 3.77, 4.44, 8.21],
    "Simpson": [691.67, 712.08, 699.13, 687.01, 20.41, 12.12, 12.95, 8.29, 17.08, 4.13, 4.66, 8.78],
    "nonlinear": [691.67, 726.0, 705.64, 684.8, 34.34, 20.84, 20.37, 13.5, 27.42, 7.05, 6.87,
                  13.93],
}  # fmt: skip
