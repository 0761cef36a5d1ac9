"""DiscDiff's samplers against each other, and its parts beside diffusers', in one process on one thread.

``tox -e bench -- tests/benchmarks/test_discdiff.py`` prints the figures. Nothing is asserted about time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch

from dnabench import Context, SequenceSet
from dnabench_discdiff.blocks import Block
from dnabench_discdiff.denoiser import Denoiser
from dnabench_discdiff.diffusion import STEPS, Diffusion
from dnabench_discdiff.model import DiscDiff
from dnabench_discdiff.options import DiscDiffOptions
from dnabench_metrics.ae.embedder import Autoencoder
from dnabench_metrics.distances.frechet import frechet_estimate

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def processor_time(function: Callable[[], object], repeats: int = 1) -> float:
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        function()
        seconds.append(time.process_time() - start)
    return min(seconds)


def test_fifty_evaluations_beside_a_thousand_steps(real_promoters, tmp_path):
    """One model of human promoters, sampled by DPM-Solver++ in 50 evaluations and by all 1,000 ancestral steps."""
    real = real_promoters("hs")
    order = np.random.default_rng(0).permutation(len(real))
    train, held_out = real.take(order[:10_000]), real.take(order[10_000:])

    def context(seed: int) -> Context:
        return Context(length=256, seed=seed, scratch=tmp_path)

    model = DiscDiff(DiscDiffOptions())
    print(f"\ntraining, preset quick: {processor_time(lambda: model.fit(train, context=context(0))):.0f} s")
    embedder = Autoencoder()
    reference = embedder.embed(held_out, context=context(0))
    n, seconds = 2000, {}
    for sampler, steps in (("dpm-solver", 2), ("dpm-solver", 30), ("dpm-solver", 50), ("ddpm", STEPS)):
        name = f"{sampler}, {steps} evaluations"
        model.options = replace(model.options, sampler=sampler, sampling_steps=steps)
        start = time.process_time()
        codes = model.sample(n, context=context(1))
        seconds[name] = time.process_time() - start
        score = frechet_estimate(generated=embedder.embed(SequenceSet(codes), context=context(0)), reference=reference)
        ends = (score.value - 1.96 * score.standard_error, score.value + 1.96 * score.standard_error)
        print(f"{name}: {n} sequences in {seconds[name]:.1f} s, fred {score.value:.3f}, {ends[0]:.3f} to {ends[1]:.3f}")
    decoding, fast = seconds["dpm-solver, 2 evaluations"], seconds["dpm-solver, 50 evaluations"]
    whole = seconds[f"ddpm, {STEPS} evaluations"]
    alone = (whole - decoding) / (fast - decoding)
    print(f"50 evaluations are {whole / fast:.1f} times as fast, without decoding {alone:.1f}")


@pytest.mark.parametrize(("n", "tokens", "width"), [(64, 16, 64), (128, 16, 128), (64, 128, 128)])
def test_a_block_beside_diffusers(n, tokens, width):
    """Training step and forward pass of one block that is modulated by the time step, float32 and bfloat16."""
    from diffusers.models.attention import BasicTransformerBlock

    ours = Block(width, condition=width, expansion=4)
    theirs = BasicTransformerBlock(
        width, width // 32, 32, norm_type="ada_norm_zero", num_embeds_ada_norm=STEPS, attention_bias=True
    )
    x, condition = torch.randn(n, tokens, width), torch.randn(n, width)
    t, none = torch.randint(STEPS, (n,)), torch.zeros(n, dtype=torch.int64)
    for dtype in (torch.float32, torch.bfloat16):

        def step(forward: Callable[[], torch.Tensor], module: torch.nn.Module, dtype=dtype) -> None:
            module.zero_grad()
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=dtype == torch.bfloat16):
                loss = forward().float().square().mean()
            loss.backward()

        def our_forward() -> torch.Tensor:
            return ours(x, condition)

        def their_forward() -> torch.Tensor:
            return theirs(x, timestep=t, class_labels=none)

        pair = []
        for forward, module in ((our_forward, ours), (their_forward, theirs)):
            step(forward, module)
            pair.append(processor_time(lambda forward=forward, module=module: step(forward, module), 10))
        print(
            f"\nblock {n} x {tokens} x {width}, {dtype}: step {pair[0] * 1e3:.2f} ms, diffusers {pair[1] * 1e3:.2f} ms"
        )


def test_samplers_beside_diffusers():
    """The same denoiser through our samplers and through diffusers' schedulers."""
    from diffusers import DDPMScheduler, DPMSolverMultistepScheduler

    denoiser = Denoiser(16, 4, width=64, blocks=1).eval()
    diffusion = Diffusion("linear", "epsilon")
    linear = {"beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}

    def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return denoiser(x, t, torch.zeros(len(x), 0, dtype=torch.int64))

    def through(scheduler, x: torch.Tensor, steps: int) -> torch.Tensor:
        scheduler.set_timesteps(steps)
        for t in scheduler.timesteps:
            x = scheduler.step(denoise(x, t.expand(len(x))), t, x).prev_sample
        return x

    many, few = torch.randn(512, 16, 4), torch.randn(64, 16, 4)
    with torch.no_grad():
        ours = processor_time(lambda: diffusion.sample_dpm_solver(denoise, many, 50))
        theirs = processor_time(lambda: through(DPMSolverMultistepScheduler(**linear), many, 50))
        print(f"\nDPM-Solver++ 2M, 50 evaluations of 512 latents: {ours:.2f} s; diffusers: {theirs:.2f} s")
        ours = processor_time(lambda: diffusion.sample_ddpm(denoise, few, torch.Generator()))
        theirs = processor_time(lambda: through(DDPMScheduler(**linear, clip_sample=False), few, STEPS))
        print(f"ancestral, 1,000 steps of 64 latents: {ours:.2f} s; diffusers: {theirs:.2f} s")
