"""Stage 2 as released with Li et al. 2023 (arXiv 2310.06150): diffusers' 2-D U-Net over latents taken for images."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from dnabench import UserError
from dnabench_discdiff.conditions import LabelEmbedding

GROUPS = 32
"""Of the U-Net's normalisation layers; widths are multiples of it."""
HALVINGS = 3
"""Of the latent image on the U-Net's way down: three of its four levels end in one."""


class ReleasedDenoiser(nn.Module):
    """Predicts the noise in x: (n, channels, H, W), t int64 (n,) -> float32 (n, channels, H, W).

    As released, without labels, it has 330,339,344 parameters. The release has no conditional model; here the labels'
    embeddings, 0 to begin with, are added to that of the time step.

    Args:
        latent_shape: (channels, H, W); H and W are multiples of 8.
        width: channels of the two finer levels, a multiple of 32; the two coarser have twice as many.
        layers: residual blocks per level on the way down, one more on the way up.
        values: how many values each label column has; one more code stands for "no label".

    Raises:
        UserError: diffusers is missing, or a size is not one of those above.
    """

    def __init__(
        self, latent_shape: tuple[int, ...], width: int = 256, layers: int = 8, values: Sequence[int] = ()
    ) -> None:
        super().__init__()
        channels, height, columns = latent_shape
        if height % 2**HALVINGS or columns % 2**HALVINGS:
            raise UserError(
                f"discdiff's released denoiser takes latents whose sides are multiples of {2**HALVINGS}, "
                f"not of {height} x {columns}"
            )
        if width < GROUPS or width % GROUPS:
            raise UserError(f"discdiff's released denoiser takes widths that are multiples of {GROUPS}, not {width}")
        try:
            from diffusers import UNet2DModel  # noqa: PLC0415 (seconds, and an extra)
            from diffusers.models.attention_processor import Attention, AttnProcessor  # noqa: PLC0415
        except ImportError:
            raise UserError("discdiff: the released denoiser needs diffusers: pip install 'dnabench[paper]'") from None
        self.unet = UNet2DModel(
            sample_size=(height, columns),
            in_channels=channels,
            out_channels=channels,
            layers_per_block=layers,
            block_out_channels=(width, width, 2 * width, 2 * width),
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
            norm_num_groups=GROUPS,
            class_embed_type="identity" if values else None,
        )
        # Attention written out: over 16 and 4 tokens fused kernels have nothing to save, and their gradient on a GPU is
        # not deterministic.
        for module in self.unet.modules():
            if isinstance(module, Attention):
                module.set_processor(AttnProcessor())
        self.tell = LabelEmbedding(values, 4 * width) if values else None

    def forward(self, x: torch.Tensor, t: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """See the class.

        Args:
            x: noisy latents, float32 (n, channels, H, W).
            t: steps of the noise schedule, int64 (n,).
            labels: int64 (n, columns), where the number of a column's values means "no label".
        """
        condition = None if self.tell is None else self.tell(labels)  # (n, 4 width)
        predicted: torch.Tensor = self.unet(x, t, class_labels=condition).sample
        return predicted.float()
