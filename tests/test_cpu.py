"""How PyTorch uses the processor: nothing of it may change a result, and other programs come first."""

import contextlib
import os
import subprocess
import sys
import time

import pytest
import torch
import yaml
from conftest import TINY, count_calls

import animegan
from animegan import cpu, training
from animegan.config import TrainConfig
from animegan.cpu import FIRST_REST, LONGEST_REST, MatrixGradients, WaitingThreads
from animegan.errors import UserError
from animegan.models import NetD, NetG, load_weights
from animegan.training import choose_precision, train

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="GNU's OpenMP and glibc are those of Linux")


def output(code: str, **environment: str) -> str:
    """What a new Python prints that runs this code; there, nothing is set yet."""
    unset = {"OMP_WAIT_POLICY", "OMP_NUM_THREADS", *animegan.SPIN_LIMITS}
    variables = {name: value for name, value in os.environ.items() if name not in unset} | environment
    return subprocess.check_output([sys.executable, "-c", code], env=variables, text=True)


SHOW = "import os, animegan; print({n: os.environ.get(n) for n in ('OMP_WAIT_POLICY', *animegan.SPIN_LIMITS)})"


def test_the_limits_of_spinning_are_set_before_pytorch_is_loaded_unless_the_user_has_chosen():
    limits = animegan.SPIN_LIMITS
    assert output(SHOW) == f"{ {'OMP_WAIT_POLICY': None, **limits} }\n"
    nothing = dict.fromkeys(("OMP_WAIT_POLICY", *limits))
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "5"}, {"KMP_BLOCKTIME": "200"}):
        assert output(SHOW, **chosen) == f"{ {**nothing, **chosen} }\n"
    show = "import animegan; print(animegan.SPIN_LIMITED)"
    assert [output(show), output(f"import torch; {show}"), output(f"import torch; {show}", **limits)] == [
        "True\n", "False\n", "True\n"
    ]  # fmt: skip


def test_conda_sets_the_same_limits():
    with open("environment.yml", encoding="utf-8") as file:
        assert yaml.safe_load(file)["variables"] == animegan.SPIN_LIMITS


@pytest.fixture
def threads(monkeypatch):
    """Waiting threads with a clock that stands still, and a machine that is as busy as `share` says."""
    calls = []

    def sleep():
        calls.append("sleep")
        return lambda: calls.append("wake")

    monkeypatch.setattr(cpu, "_sleep_function", lambda _threads: sleep)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    for name in ("OMP_WAIT_POLICY", *animegan.SPIN_LIMITS):
        monkeypatch.delenv(name, raising=False)
    clock = {"wall": 100.0, "cpu": 0.0}
    monkeypatch.setattr(time, "perf_counter", lambda: clock["wall"])
    monkeypatch.setattr(time, "monotonic", lambda: clock["wall"])
    monkeypatch.setattr(time, "process_time", lambda: clock["cpu"])

    def check(seconds: float, share: float) -> bool:
        clock["wall"] += seconds
        clock["cpu"] += 4 * share * seconds
        waiting.check()
        return waiting.sleeping

    with WaitingThreads(torch.device("cpu")) as waiting:
        yield check, calls, waiting
    assert calls.count("sleep") == calls.count("wake"), "whatever happens, they spin again in the end"


def test_threads_sleep_while_others_need_the_cores_and_spin_again_from_time_to_time(threads):
    check, calls, waiting = threads
    assert not check(0.5, 0.99) and not check(0.1, 0.1), "a tenth of a second says nothing"
    assert not check(2.0, 0.9)
    assert check(0.5, 0.5) and check(0.5, 0.5) and check(0.5, 1.0), "who sleeps cannot see whether the machine is free"
    assert not check(FIRST_REST, 0.4), "so it is tried again"
    assert check(0.5, 0.5) and check(FIRST_REST, 0.4) and not check(FIRST_REST + 1, 0.4), (
        "and the second rest is longer"
    )
    for _ in range(9):
        check(0.5, 0.3)
        check(LONGEST_REST + 1, 0.3)
    assert waiting.rest == LONGEST_REST
    assert not check(0.5, 0.99) and waiting.rest == FIRST_REST
    assert calls.count("sleep") == calls.count("wake") == 11


@pytest.mark.parametrize(
    ("device", "count", "variables"),
    [("cpu", 1, {}), ("meta", 4, {}), ("cpu", 4, {"OMP_WAIT_POLICY": "active"}), ("cpu", 4, {"GOMP_SPINCOUNT": "7"})],
    ids=["one thread", "another device", "a policy of the user", "a limit of the user"],
)
def test_threads_are_left_alone_where_nothing_is_to_be_done(monkeypatch, device, count, variables):
    for name in ("OMP_WAIT_POLICY", *animegan.SPIN_LIMITS):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch, "get_num_threads", lambda: count)
    made = count_calls(monkeypatch, cpu, "_sleep_function")
    with WaitingThreads(torch.device(device)) as waiting:
        monkeypatch.setattr(time, "process_time", lambda: waiting._cpu)
        monkeypatch.setattr(time, "perf_counter", lambda: waiting._wall + 1)
        waiting.check()
        assert not waiting.sleeping and not made


SPIN = """
import time, torch
from animegan import cpu
torch.set_num_threads(2)
def spinning():  # a busy machine gives a thread that spins a core only now and then, and one that sleeps never needs it
    def spins():
        torch.zeros(2**20).add_(1)  # now the second thread waits for the next loop
        before = time.process_time()
        time.sleep(0.3)
        return time.process_time() - before > 0.05
    return any(spins() for _ in range(10))
sleep = cpu._sleep_function(2)
found = [spinning()]
wake = sleep()
found.append(spinning())
wake()
print(*found, spinning())
"""


@ON_LINUX
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has no second thread")
def test_a_second_team_lets_waiting_threads_sleep():
    """With an endless limit, the second thread takes a whole core while the first one rests."""
    assert output(SPIN, GOMP_SPINCOUNT="infinite") == "True False True\n"


def test_a_run_is_the_same_whether_its_threads_sleep_or_spin(drawn, tmp_path, monkeypatch):
    monkeypatch.setattr(training, "UPDATE_SECONDS", 0)
    monkeypatch.setattr(cpu, "MIN_SECONDS", 0)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    monkeypatch.setattr(torch, "set_num_threads", lambda _count: None)
    sleep, calls, weights = cpu._sleep_function(2), [], []
    monkeypatch.setattr(cpu, "_sleep_function", lambda _threads: lambda: (calls.append(1), sleep())[1])
    for share in (-1, 99):  # threads that never sleep, and those that do from the first step
        monkeypatch.setattr(cpu, "FREE", share)
        settings = {**TINY, "data_path": str(drawn), "outf": str(tmp_path / str(share)), "precision": "float32"}
        run = train(TrainConfig(**settings), progress=False)
        weights.append(load_weights(run.path / "netG_003.pth"))
        assert bool(calls) == (share > 0)
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


MEMORY = """
import resource, torch
from animegan.cpu import kept_memory
def pages():  # that the kernel clears for ten blocks of 64 MB, one after the other
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.empty(2**24).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
with kept_memory():
    pages()
    kept = pages()
print(kept < 20, pages() > 200)
"""


@ON_LINUX
def test_memory_is_kept_for_the_next_step():
    assert output(MEMORY) == "True True\n"


def test_auto_is_bfloat16_where_the_hardware_computes_in_it(monkeypatch):
    auto, on_cpu, on_cuda = TrainConfig(), torch.device("cpu"), torch.device("cuda")
    for has_it, capability, precision in ((True, (8, 0), "bfloat16"), (False, (7, 5), "float32")):
        monkeypatch.setattr(training, "computes_bfloat16", lambda: has_it)  # noqa: B023
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _device: capability)  # noqa: B023
        assert choose_precision(auto, on_cpu) == choose_precision(auto, on_cuda) == precision
        assert choose_precision(TrainConfig(recipe="handout"), on_cpu) == "float32"
        assert choose_precision(auto, torch.device("mps")) == "float32"


def test_on_a_busy_machine_one_thread_trains_in_bfloat16(drawn, tmp_path, monkeypatch):
    used, share = [torch.get_num_threads()], 0.5
    monkeypatch.setattr(torch, "get_num_threads", lambda: used[-1])
    monkeypatch.setattr(torch, "set_num_threads", used.append)
    used.append(2)
    started = time.perf_counter()
    monkeypatch.setattr(time, "process_time", lambda: 2 * share * (time.perf_counter() - started))
    assert cpu.free_threads("bfloat16") == 1 and cpu.free_threads("float32") == 2
    settings = {**TINY, "data_path": str(drawn), "outf": str(tmp_path / "run"), "precision": "bfloat16"}

    def trained(resume=False, **changes) -> list[int]:
        """With how many threads each epoch was trained."""
        del used[1:]
        used.append(2)
        train(TrainConfig(**{**settings, **changes}), resume=resume, progress=False)
        return used[2::2]

    assert trained(epoch=1) == [1]
    share = 1.0
    assert cpu.free_threads("bfloat16") == 2
    assert trained(epoch=3, resume=True) == [1, 2], "as the checkpoint says, then as the machine allows"
    share = 0.5
    monkeypatch.setattr(cpu, "MIN_SECONDS", 0)
    monkeypatch.setattr(training, "UPDATE_SECONDS", 0)
    assert trained(epoch=5, resume=True) == [2, 1], "others have come meanwhile"
    assert trained(epoch=2, outf=str(tmp_path / "float32"), precision="float32") == [2, 2]


@pytest.mark.parametrize(
    ("network", "layer", "shape"), [(NetG, "layer2", (5, 64, 4, 4)), (NetD, "layer4", (5, 32, 8, 8))]
)
def test_gradients_as_matrix_products_are_those_of_pytorch(network, layer, shape):
    """Those of the weights and of the images, and of the squared slope that R1 penalises."""
    torch.manual_seed(0)
    convolution = getattr(network(8), layer)[0]
    found = []
    for context in (contextlib.nullcontext(), MatrixGradients()):
        images = torch.randn(shape, generator=torch.Generator().manual_seed(1)).requires_grad_()
        convolution.zero_grad()
        with torch.autocast("cpu", torch.bfloat16), context:
            output = convolution(images).float()
        (slopes,) = torch.autograd.grad(output.sin().sum(), images, create_graph=True)
        (output.square().sum() + slopes.square().sum()).backward()
        found.append((output.grad_fn.next_functions[0][0].name(), output, convolution.weight.grad, images.grad))
    (name, *theirs), (own, *ours) = found
    assert own != name, "the product is not used"
    for expected, actual in zip(theirs, ours, strict=True):
        assert (actual - expected).norm() < 0.005 * expected.norm()


def test_a_run_keeps_the_precision_that_it_began_with(drawn, tmp_path, monkeypatch):
    settings = {**TINY, "data_path": str(drawn), "outf": str(tmp_path / "run")}
    monkeypatch.setattr(training, "computes_bfloat16", lambda: True)
    run = train(TrainConfig(**{**settings, "epoch": 1}), progress=False)
    assert run.config.precision == "bfloat16" and run.info["config"]["precision"] == "bfloat16"
    monkeypatch.setattr(training, "computes_bfloat16", lambda: False)  # resumed on another machine
    assert train(TrainConfig(**settings), resume=True, progress=False).config.precision == "bfloat16"
    with pytest.raises(UserError, match="precision 'bfloat16' is now 'float32'"):
        train(TrainConfig(**settings, precision="float32"), resume=True, progress=False)
