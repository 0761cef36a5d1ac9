"""The weights of the oracles as their authors published them, for ``dnabench data fetch``.

Addresses: ``download_data.sh`` of github.com/FunctionLab/sei-framework, and ``MPRA-DragoNN/ConvModel/model.yaml`` of
github.com/kipoi/models. Checksums: that of Sei's archive is Zenodo's, which github.com/pinellolab/chorus quotes
(``audits/2026-04-29_hf_mirror_consolidation``); that of MPRA-DragoNN's file is Kipoi's. Of ``sei.pth`` itself none is
published.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from dnabench import FetchedFile, UserError

if TYPE_CHECKING:
    from dnabench import Fetcher
    from dnabench_metrics.records.oracles import MPRADragoNNWeightsOptions, SeiWeightsOptions

SEI_ARCHIVE_MD5 = "4297aafb711aec4ecccb645b8928ea26"
MPRA_DRAGONN_MD5 = "19fb17f943c3d6bcada8c5dc638092b4"
_BLOCK = 1 << 22  # bytes


class SeiWeights:
    """``sei.pth``, out of an archive."""

    def __init__(self, options: SeiWeightsOptions) -> None:
        self.options = options

    def fetch(self, *, fetcher: Fetcher) -> Iterator[FetchedFile]:
        """The file. UserError when the archive is not the published one, or holds no such file."""
        url, verify = self.options.url, self.options.verify
        archive = fetcher.download(url, name="sei_model.tar.gz", md5=SEI_ARCHIVE_MD5 if verify else None)
        yield FetchedFile(
            name="sei.pth",
            path=_extract(archive, "sei.pth", fetcher),
            uses=("--set oracle.model=sei --set oracle.weights=PATH", "--set sei.weights=PATH"),
            about={
                "url": url,
                "verified": "md5 of the archive" if verify else "nothing",
                "published": "md5 of the archive; of sei.pth itself no checksum",
            },
        )
        archive.unlink()  # as large as what came out of it, and of no use beside that


class MPRADragoNNWeights:
    """``pretrained.hdf5``, the Keras weights of the ConvModel."""

    def __init__(self, options: MPRADragoNNWeightsOptions) -> None:
        self.options = options

    def fetch(self, *, fetcher: Fetcher) -> Iterator[FetchedFile]:
        """The file. UserError when it is not the published one."""
        url, verify = self.options.url, self.options.verify
        yield FetchedFile(
            name="pretrained.hdf5",
            path=fetcher.download(url, name="pretrained.hdf5", md5=MPRA_DRAGONN_MD5 if verify else None),
            uses=("--set oracle.weights=PATH", "--set mpra-dragonn.weights=PATH"),
            about={"url": url, "verified": "md5" if verify else "nothing", "published": "md5"},
        )


def _extract(archive: Path, name: str, fetcher: Fetcher) -> Path:
    """The regular file called ``name`` in whatever folder of a .tar.gz, in the scratch directory.

    Nothing else is unpacked, and no path of the archive is used. UserError where there is none, or the archive is
    damaged.
    """
    target = fetcher.scratch / name
    try:
        with tarfile.open(archive, "r|gz") as members:
            for member in members:
                if not member.isfile() or PurePosixPath(member.name).name != name:
                    continue
                stream = members.extractfile(member)
                assert stream is not None
                with target.open("wb") as out:
                    while block := stream.read(_BLOCK):
                        out.write(block)
                        fetcher.progress(out.tell(), member.size, f"unpacking {name}")
                return target
    except tarfile.TarError as error:
        raise UserError(f"{archive}: cannot be unpacked: {error}; remove the file to download it again") from None
    raise UserError(f"{archive}: no file {name} in this archive")
