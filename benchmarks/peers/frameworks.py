"""The work of hourglass_step done by PyTorch, JAX or ONNX Runtime of today, on one thread or more.

    frameworks.py torch|compile|jax|onnxruntime [--threads N] [NAME...]

NAME is one of W1 W2 W2-256 W2e-4096 W3 W4 W5f W6 W6f W7 W8; none means all. ONNX Runtime trains nothing: W2-256, W2e-4096, and
it alone W5f and W6f. Prints lines `name value unit`, as hourglass_step and hourglass_peer_libtorch do: each value is the best of
several rounds after a warm-up. `compile` is torch.compile.
"""

import argparse
import os
import time

parser = argparse.ArgumentParser()
parser.add_argument("framework", choices=["torch", "compile", "jax", "onnxruntime"])
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("names", nargs="*")
arguments = parser.parse_intermixed_args()  # names may follow the option

# Read by the libraries when they are loaded.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(arguments.threads)
os.environ.pop("OPENBLAS_CORETYPE", None)
# XLA sizes its pool by the cores it may run on.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-arguments.threads:])

import numpy as np  # noqa: E402

WIDTHS = [784, 1000, 500, 250, 30, 250, 500, 1000, 784]


def best_seconds(work, total_seconds=2.5):
    """As support::best_seconds: the mean of the best of many short rounds."""
    for _ in range(3):
        work()
    start = time.perf_counter()
    work()
    calls = max(1, int(0.005 / (time.perf_counter() - start)))
    best, spent, rounds = float("inf"), 0.0, 0
    while rounds < 3 or spent < total_seconds:
        start = time.perf_counter()
        for _ in range(calls):
            work()
        took = time.perf_counter() - start
        best, spent, rounds = min(best, took / calls), spent + took, rounds + 1
    return best


def show(name, value, unit):
    print(f"{name} {value:.2f} {unit}" if unit == "us" else f"{name} {value:.0f} {unit}", flush=True)


def wanted(name):
    return not arguments.names or name in arguments.names


def run_torch(compiled):
    import torch
    from torch import nn
    from torch.nn import functional as F

    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)

    def prepared(model):
        return torch.compile(model) if compiled else model

    def train(name, model, loss, x):
        optimizer = torch.optim.Adam(model.parameters(), 1e-3)
        forward = prepared(model)

        def step():
            optimizer.zero_grad()
            loss(forward(x), x).backward()
            optimizer.step()

        show(name, len(x) / best_seconds(step), "samples/s")

    def evaluate(name, net, x):
        if wanted(name):
            with torch.inference_mode():
                model = prepared(net.eval())
                show(name, len(x) / best_seconds(lambda: model(x)), "samples/s")

    def small():
        return nn.Sequential(nn.Linear(784, 32), nn.ReLU(), nn.Linear(32, 784), nn.Sigmoid())

    def deep():
        return nn.Sequential(*(l for i, o in zip(WIDTHS, WIDTHS[1:]) for l in (nn.Linear(i, o), nn.Sigmoid())))

    def waves():
        def down(i, o):
            return nn.Conv1d(i, o, 7, 2, 3)

        def up(i, o, s):
            return nn.ConvTranspose1d(i, o, 7, s, 3, s - 1)

        return nn.Sequential(down(1, 32), nn.ReLU(), down(32, 16), nn.ReLU(), up(16, 16, 2), nn.ReLU(), up(16, 32, 2),
                             nn.ReLU(), up(32, 1, 1))

    class Variational(nn.Module):
        def __init__(self):
            super().__init__()
            self.hidden, self.mean, self.log_variance = nn.Linear(784, 400), nn.Linear(400, 20), nn.Linear(400, 20)
            self.back, self.out = nn.Linear(20, 400), nn.Linear(400, 784)

        def forward(self, x):
            h = F.relu(self.hidden(x))
            m, l = self.mean(h), self.log_variance(h)
            z = m + torch.exp(0.5 * l) * torch.randn_like(m)
            y = torch.sigmoid(self.out(F.relu(self.back(z))))
            return F.binary_cross_entropy(y, x, reduction="sum") - 0.5 * torch.sum(1 + l - m.pow(2) - l.exp())

    def blog():
        def conv(i, o, p=1):
            return nn.Conv2d(i, o, 3, padding=p)

        def pool():
            return nn.MaxPool2d(2, ceil_mode=True)

        def up():
            return nn.Upsample(scale_factor=2)

        return nn.Sequential(conv(1, 16), nn.ReLU(), pool(), conv(16, 8), nn.ReLU(), pool(), conv(8, 8), nn.ReLU(),
                             pool(), conv(8, 8), nn.ReLU(), up(), conv(8, 8), nn.ReLU(), up(), conv(8, 16, 0),
                             nn.ReLU(), up(), conv(16, 1), nn.Sigmoid())

    def strided():
        def back(i, o, s):
            return nn.ConvTranspose2d(i, o, 3, s, 1, s - 1)

        return nn.Sequential(nn.Conv2d(1, 32, 3, 2, 1), nn.ReLU(), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU(), nn.Flatten(),
                             nn.Linear(3136, 16), nn.Linear(16, 3136), nn.ReLU(), nn.Unflatten(1, (64, 7, 7)),
                             back(64, 64, 2), nn.ReLU(), back(64, 32, 2), nn.ReLU(), back(32, 1, 1), nn.Sigmoid())

    def pictures(name, net):
        train(name, net(), F.binary_cross_entropy, torch.rand(128, 1, 28, 28))
        with torch.inference_mode():
            model = prepared(net().eval())
            one, all_of_them = torch.rand(1, 1, 28, 28), torch.rand(256, 1, 28, 28)
            show(name + "-1", 1e6 * best_seconds(lambda: model(one), 1.0), "us")
            show(name + "-256", 256 / best_seconds(lambda: model(all_of_them)), "samples/s")

    vectors = torch.rand(256, 784)
    if wanted("W1"):
        train("W1", small(), F.binary_cross_entropy, vectors)
    if wanted("W2"):
        train("W2", deep(), F.mse_loss, vectors)
    evaluate("W2-256", deep(), vectors)
    evaluate("W2e-4096", deep()[:8], torch.rand(4096, 784))
    if wanted("W3"):
        train("W3", waves(), F.mse_loss, torch.rand(128, 1, 288))
    if wanted("W4"):
        train("W4", Variational(), lambda objective, _: objective, torch.rand(128, 784))
    if wanted("W6"):
        with torch.inference_mode():
            model, one = prepared(small().eval()), torch.rand(1, 784)
            show("W6", 1e6 * best_seconds(lambda: model(one), 1.0), "us")
    if wanted("W7"):
        pictures("W7", blog)
    if wanted("W8"):
        pictures("W8", strided)


def run_jax():
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax
    import jax.numpy as jnp
    from jax import lax

    rng = np.random.default_rng(1)

    def array(*shape):
        return jnp.asarray(rng.uniform(-0.05, 0.05, shape), jnp.float32)

    def data(*shape):
        return jnp.asarray(rng.uniform(0, 1, shape), jnp.float32)

    def cross_entropy(logits, x):
        return jnp.mean(jnp.maximum(logits, 0) - logits * x + jnp.log1p(jnp.exp(-jnp.abs(logits))))

    def squared_error(y, x):
        return jnp.mean((y - x) ** 2)

    def train(name, weights, objective, x):
        """`objective(weights, x, key)` is the loss; Adam is written out, so that one program holds the whole step."""

        def step(weights, first, second, t, key):
            key, used = jax.random.split(key)
            gradient = jax.grad(objective)(weights, x, used)
            t = t + 1
            rate = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
            first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, first, gradient)
            second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, second, gradient)
            weights = jax.tree.map(lambda w, m, v: w - rate * m / (jnp.sqrt(v) + 1e-7), weights, first, second)
            return weights, first, second, t, key

        compiled = jax.jit(step, donate_argnums=(0, 1, 2))
        moments = [jax.tree.map(jnp.zeros_like, weights) for _ in range(2)]
        state = [jax.tree.map(jnp.copy, weights), *moments, jnp.float32(0), jax.random.key(1)]  # the step takes them

        def work():
            state[:] = compiled(*state)
            jax.block_until_ready(state[0])

        show(name, x.shape[0] / best_seconds(work), "samples/s")

    def dense(i, o):
        return array(i, o), jnp.zeros(o)

    def kernel(*shape):  # taps..., in, out
        return array(*shape), jnp.zeros(shape[-1])

    def apply(h, w):
        return h @ w[0] + w[1]

    def conv(h, w, stride=1, padding="SAME"):
        spec = ("NWC", "WIO", "NWC") if h.ndim == 3 else ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(h, w[0], [stride] * (h.ndim - 2), padding, dimension_numbers=spec) + w[1]

    def back(h, w, stride=2):
        spec = ("NWC", "WIO", "NWC") if h.ndim == 3 else ("NHWC", "HWIO", "NHWC")
        return lax.conv_transpose(h, w[0], [stride] * (h.ndim - 2), "SAME", dimension_numbers=spec) + w[1]

    def pool(h):
        return lax.reduce_window(h, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")

    def up(h):
        return jnp.repeat(jnp.repeat(h, 2, axis=1), 2, axis=2)

    relu, sigmoid = jax.nn.relu, jax.nn.sigmoid

    def small(w, x):
        return apply(relu(apply(x, w[0])), w[1])

    def deep(w, x):
        for layer in w:
            x = sigmoid(apply(x, layer))
        return x

    def evaluate(name, widths, samples):
        if wanted(name):
            weights, x = [dense(i, o) for i, o in zip(widths, widths[1:])], data(samples, widths[0])
            forward = jax.jit(lambda x: deep(weights, x))
            show(name, samples / best_seconds(lambda: forward(x).block_until_ready()), "samples/s")

    def waves(w, x):
        h = relu(conv(relu(conv(x, w[0], 2)), w[1], 2))
        return back(relu(back(relu(back(h, w[2])), w[3])), w[4], 1)

    def variational(w, x, key):
        h = relu(apply(x, w[0]))
        m, l = apply(h, w[1]), apply(h, w[2])
        z = m + jnp.exp(0.5 * l) * jax.random.normal(key, m.shape)
        logits = apply(relu(apply(z, w[3])), w[4])
        return x.size * cross_entropy(logits, x) - 0.5 * jnp.sum(1 + l - m**2 - jnp.exp(l))

    def blog(w, x):
        h = pool(relu(conv(pool(relu(conv(pool(relu(conv(x, w[0]))), w[1]))), w[2])))
        h = up(relu(conv(up(relu(conv(h, w[3]))), w[4])))
        return conv(up(relu(conv(h, w[5], padding="VALID"))), w[6])

    def strided(w, x):
        h = relu(conv(relu(conv(x, w[0], 2)), w[1], 2)).reshape(len(x), -1)
        h = relu(apply(apply(h, w[2]), w[3])).reshape(-1, 7, 7, 64)
        return back(relu(back(relu(back(h, w[4])), w[5])), w[6], 1)

    def pictures(name, net, weights):
        train(name, weights, lambda w, x, _: cross_entropy(net(w, x), x), data(128, 28, 28, 1))
        forward = jax.jit(lambda x: sigmoid(net(weights, x)))
        one, all_of_them = data(1, 28, 28, 1), data(256, 28, 28, 1)
        show(name + "-1", 1e6 * best_seconds(lambda: forward(one).block_until_ready(), 1.0), "us")
        show(name + "-256", 256 / best_seconds(lambda: forward(all_of_them).block_until_ready()), "samples/s")

    if wanted("W1"):
        train("W1", [dense(784, 32), dense(32, 784)], lambda w, x, _: cross_entropy(small(w, x), x), data(256, 784))
    if wanted("W2"):
        layers = [dense(i, o) for i, o in zip(WIDTHS, WIDTHS[1:])]
        train("W2", layers, lambda w, x, _: squared_error(deep(w, x), x), data(256, 784))
    evaluate("W2-256", WIDTHS, 256)
    evaluate("W2e-4096", WIDTHS[:5], 4096)
    if wanted("W3"):
        shapes = [(7, 1, 32), (7, 32, 16), (7, 16, 16), (7, 16, 32), (7, 32, 1)]
        train("W3", [kernel(*s) for s in shapes], lambda w, x, _: squared_error(waves(w, x), x), data(128, 288, 1))
    if wanted("W4"):
        layers = [dense(784, 400), dense(400, 20), dense(400, 20), dense(20, 400), dense(400, 784)]
        train("W4", layers, variational, data(128, 784))
    if wanted("W6"):
        weights, one = [dense(784, 32), dense(32, 784)], data(1, 784)
        forward = jax.jit(lambda x: sigmoid(small(weights, x)))
        show("W6", 1e6 * best_seconds(lambda: forward(one).block_until_ready(), 1.0), "us")
    if wanted("W7"):
        channels = [1, 16, 8, 8, 8, 8, 16, 1]
        pictures("W7", blog, [kernel(3, 3, i, o) for i, o in zip(channels, channels[1:])])
    if wanted("W8"):
        weights = [kernel(3, 3, 1, 32), kernel(3, 3, 32, 64), dense(3136, 16), dense(16, 3136), kernel(3, 3, 64, 64),
                   kernel(3, 3, 64, 32), kernel(3, 3, 32, 1)]
        pictures("W8", strided, weights)


def run_onnxruntime():
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)

    def session(widths, samples="samples", hidden="Sigmoid"):
        """Dense layers with activations, the last a sigmoid, as the library's own export writes them."""
        nodes, arrays = [], []
        for n, (i, o) in enumerate(zip(widths, widths[1:])):
            for name, shape in ("w", (i, o)), ("b", (o,)):
                values = rng.uniform(-0.05, 0.05, shape).astype(np.float32)
                arrays.append(numpy_helper.from_array(values, f"{name}{n}"))
            nodes.append(helper.make_node("Gemm", [f"x{n}", f"w{n}", f"b{n}"], [f"z{n}"]))
            activation = "Sigmoid" if n == len(widths) - 2 else hidden
            nodes.append(helper.make_node(activation, [f"z{n}"], [f"x{n + 1}"]))
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [samples, width])
                for name, width in (("x0", widths[0]), (nodes[-1].output[0], widths[-1]))]
        graph = helper.make_graph(nodes, "net", ends[:1], ends[1:], arrays)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = arguments.threads, 1
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def evaluate(name, widths, samples):
        if wanted(name):
            net, x = session(widths), rng.uniform(0, 1, (samples, widths[0])).astype(np.float32)
            show(name, samples / best_seconds(lambda: net.run(None, {"x0": x})), "samples/s")

    def evaluate_one(name, widths):
        """One sample, the batch fixed in the graph. Results into memory bound once, or a new array each call: the faster."""
        if not wanted(name):
            return
        net, x = session(widths, 1, "Relu"), rng.uniform(0, 1, (1, widths[0])).astype(np.float32)
        y = np.zeros((1, widths[-1]), np.float32)
        bound = net.io_binding()
        bound.bind_ortvalue_input("x0", onnxruntime.OrtValue.ortvalue_from_numpy(x))
        bound.bind_output(net.get_outputs()[0].name, "cpu", 0, np.float32, y.shape, y.ctypes.data)
        works = (lambda: net.run_with_iobinding(bound)), (lambda: net.run(None, {"x0": x}))
        show(name, 1e6 * min(best_seconds(work) for work in works), "us")
        works[0]()
        np.testing.assert_allclose(y, works[1]()[0], rtol=1e-6)

    evaluate("W2-256", WIDTHS, 256)
    evaluate("W2e-4096", WIDTHS[:5], 4096)
    evaluate_one("W5f", [140, 32, 16, 8, 16, 32, 140])
    evaluate_one("W6f", [784, 32, 784])


if arguments.framework == "jax":
    run_jax()
elif arguments.framework == "onnxruntime":
    run_onnxruntime()
else:
    run_torch(arguments.framework == "compile")
