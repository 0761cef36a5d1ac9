"""The 15 species of EPDnew, as listed in Meylan et al. 2020, Nucleic Acids Research 48:D65-D69."""

from __future__ import annotations

import re
from typing import NamedTuple


class Species(NamedTuple):
    """A species and its list of promoters.

    Attributes:
        binomial: its scientific name.
        path: of the list, below the address of EPDnew. ``current`` is whatever EPD's newest version is.
        assembly: the genome assembly that the list's positions are in.
        promoters: how many the list held when it was counted.
        confirmed: False for a count that no source at hand states.
    """

    binomial: str
    path: str
    assembly: str
    promoters: int
    confirmed: bool = False


SPECIES = {
    "am": Species("Apis mellifera", "A_mellifera/current/Am_EPDnew.bed", "amel5", 6_493),
    "at": Species("Arabidopsis thaliana", "A_thaliana/current/At_EPDnew.bed", "araTha1", 22_703, True),
    "ce": Species("Caenorhabditis elegans", "C_elegans/001/Ce_EPDnew_001_ce6.bed", "ce6", 7_120),
    "cf": Species("Canis familiaris", "C_familiaris/current/Cf_EPDnew.bed", "canFam3", 7_545),
    "dm": Species("Drosophila melanogaster", "D_melanogaster/005/Dm_EPDnew_005_dm6.bed", "dm6", 16_972),
    "dr": Species("Danio rerio", "D_rerio/001/Dr_EPDnew_001_danRer7.bed", "danRer7", 10_728),
    "gg": Species("Gallus gallus", "G_gallus/current/Gg_EPDnew.bed", "galGal5", 6_127, True),
    "hs": Species("Homo sapiens", "H_sapiens/006/Hs_EPDnew_006_hg38.bed", "hg38", 29_598, True),
    "mm": Species("Mus musculus", "M_musculus/003/Mm_EPDnew_003_mm10.bed", "mm10", 25_111, True),
    "pf": Species("Plasmodium falciparum", "P_falciparum/current/Pf_EPDnew.bed", "pfa2", 5_597, True),
    "rm": Species("Macaca mulatta", "M_mulatta/current/Rm_EPDnew.bed", "rheMac8", 9_575, True),
    "rn": Species("Rattus norvegicus", "R_norvegicus/001/Rn_EPDnew_001_rn6.bed", "rn6", 12_601),
    "sc": Species("Saccharomyces cerevisiae", "S_cerevisiae/002/Sc_EPDnew_002_sacCer3.bed", "sacCer3", 5_117, True),
    "sp": Species("Schizosaccharomyces pombe", "S_pombe/current/Sp_EPDnew.bed", "spo2", 4_802),
    "zm": Species("Zea mays", "Z_mays/current/Zm_EPDnew.bed", "zm3", 17_081),
}

_CODES = {tuple(species.binomial.lower().split()): code for code, species in SPECIES.items()}


def code_of(name: str) -> str | None:
    """The two letters of a species from its scientific name in any case, followed by whatever; None if unknown.

    A subspecies may stand between the two words, as in ``Canis lupus familiaris``.
    """
    words = re.findall(r"[a-z]+", name.lower())[:3]
    return next((_CODES[words[0], word] for word in words[1:] if (words[0], word) in _CODES), None)
