"""Published reconciliation networks with their answers: figures, where they are from, where read.

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

from typing import NamedTuple

import numpy as np

from custody.detect.network import Floats


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
