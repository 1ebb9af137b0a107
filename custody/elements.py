"""The chemical elements that analytes may name.

An analyte may as well be a compound (Li2O), a sum (TREO) or a part (soluble Cu): only what is named
by an element's symbol, each once, has masses that add up to no more than the material's own.
"""

_SYMBOLS = (
    "H Li Be B C N O F Na Mg Al Si P S Cl K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se "
    "Br Rb Sr Y Zr Nb Mo Ru Rh Pd Ag Cd In Sn Sb Te I Cs Ba La Ce Pr Nd Sm Eu Gd Tb Dy Ho "
    "Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Th U "
)
ELEMENTS = frozenset(_SYMBOLS.split())
"""The periodic table up to uranium without what no mine ships."""

COMPOSITION_SUM_MAX = 1.01
"""What is measured of one material may add up to one within the laboratory's own error."""
