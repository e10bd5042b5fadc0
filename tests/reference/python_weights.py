"""Small autoencoders trained for a few steps in PyTorch, Keras 3 and Flax: what tests/io/python_weights.cpp loads.

    python3 python_weights.py pytorch      (Debian: python3-torch)
    python3 python_weights.py keras        (pip: keras jax)
    python3 python_weights.py flax         (pip: flax)

each write python_weights_<framework>.txt beside it: for each net NAME its input NAME/x, (n, channels), (n, length,
channels) or (n, rows, columns, channels), its code NAME/code and its output NAME/y in evaluation, and as NAME:… what its safetensors file would hold, under
the names and in the shapes of the framework. A code that is a flattened series is left out. With a folder as a second
argument the safetensors files themselves are written there (pip: safetensors).
"""

import os
import pathlib
import sys

import numpy as np

import frozen

here = pathlib.Path(__file__).parent
random = np.random.default_rng(7)
vectors = random.uniform(size=(32, 8)).astype(np.float32)
series = random.uniform(size=(32, 16, 2)).astype(np.float32)
short_series = series[:, :8]
pictures = random.uniform(size=(32, 6, 8, 2)).astype(np.float32)
STEPS, RATE, SHOWN = 20, 0.02, 4


def pytorch(folder):
    import torch
    from torch import nn

    torch.manual_seed(7)

    class Heads(nn.Module):
        """A variational autoencoder: `hidden`, two heads, `decoder`; trained on one draw of each code."""

        def __init__(self, hidden, mean, log_variance, decoder):
            super().__init__()
            self.hidden, self.mean, self.log_variance, self.decoder = hidden, mean, log_variance, decoder

        def encode(self, x):
            return self.mean(self.hidden(x))

        def forward(self, x):
            h = self.hidden(x)
            mean, log_variance = self.mean(h), self.log_variance(h)
            z = mean + torch.exp(0.5 * log_variance) * torch.randn_like(mean) if self.training else mean
            return self.decoder(z)

    class Pair(nn.Module):
        def __init__(self, encoder, decoder):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder

        def encode(self, x):
            return self.encoder(x)

        def forward(self, x):
            return self.decoder(self.encoder(x))

    models = {
        "dense": (vectors, Pair(
            nn.Sequential(nn.Linear(8, 5), nn.LayerNorm(5), nn.ReLU(), nn.Linear(5, 3)),
            nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 8), nn.Sigmoid()))),
        "conv": (series, Pair(
            nn.Sequential(nn.Conv1d(2, 3, 4, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(24, 5)),
            nn.Sequential(nn.Linear(5, 24), nn.ReLU(), nn.Unflatten(1, (3, 8)), nn.ConvTranspose1d(3, 2, 4, 2, 1)))),
        "normalised": (short_series, Pair(
            nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(18),
                          nn.Linear(18, 4)),
            nn.Sequential(nn.Linear(4, 18), nn.BatchNorm1d(18), nn.ReLU(), nn.Unflatten(1, (3, 6)),
                          nn.ConvTranspose1d(3, 2, 3)))),
        "vae": (vectors, Heads(
            nn.Sequential(nn.Linear(8, 5), nn.ReLU()), nn.Linear(5, 3), nn.Linear(5, 3),
            nn.Sequential(nn.Linear(3, 5), nn.ReLU(), nn.Linear(5, 8), nn.Sigmoid()))),
        "vae_series": (short_series, Heads(
            nn.Sequential(nn.Conv1d(2, 3, 4, 2, 1), nn.ReLU(), nn.Flatten()), nn.Linear(12, 12), nn.Linear(12, 12),
            nn.Sequential(nn.Unflatten(1, (3, 4)), nn.ConvTranspose1d(3, 2, 4, 2, 1)))),
        "picture": (pictures, Pair(
            nn.Sequential(nn.Conv2d(2, 3, (4, 3), (2, 1), 1), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Linear(72, 5)),
            nn.Sequential(nn.Linear(5, 72), nn.ReLU(), nn.Unflatten(1, (3, 3, 8)),
                          nn.ConvTranspose2d(3, 2, (4, 3), (2, 1), 1)))),
    }
    for name, (data, model) in models.items():
        x = torch.tensor(np.moveaxis(data, -1, 1).copy())
        adam = torch.optim.Adam(model.parameters(), lr=RATE)
        for _ in range(STEPS):
            adam.zero_grad()
            nn.functional.mse_loss(model(x), x).backward()
            adam.step()
        model.eval()
        with torch.no_grad():
            code, y = model.encode(x[:SHOWN]), model(x[:SHOWN])
        if folder:
            import safetensors.torch
            safetensors.torch.save_file(model.state_dict(), folder / f"pytorch_{name}.safetensors")
        yield name, data[:SHOWN], None if name == "vae_series" else code, np.moveaxis(y.numpy(), 1, -1), model.state_dict()


def keras(folder):
    os.environ.setdefault("KERAS_BACKEND", "jax")
    import keras
    from keras import layers

    def dense(x):
        code = layers.Dense(3)(layers.ReLU()(layers.LayerNormalization()(layers.Dense(5)(x))))
        return code, layers.Dense(8, activation="sigmoid")(layers.Dense(5, activation="relu")(code))

    def conv(x):
        h = layers.Flatten()(layers.Conv1D(3, 3, strides=2, padding="same", activation="relu")(x))
        code = layers.Dense(5)(h)
        h = layers.Reshape((8, 3))(layers.Dense(24, activation="relu")(code))
        return code, layers.Conv1DTranspose(2, 3, strides=2, padding="same")(h)

    def normalised(x):
        h = layers.Flatten()(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Conv1D(3, 3)(x))))
        code = layers.Dense(4)(layers.BatchNormalization(momentum=0.9)(h))
        h = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Dense(18)(code)))
        return code, layers.Conv1DTranspose(2, 3)(layers.Reshape((6, 3))(h))

    class Sampling(layers.Layer):
        def call(self, inputs, training=False):
            mean, log_variance = inputs
            noise = keras.random.normal(keras.ops.shape(mean), seed=7)
            return mean + keras.ops.exp(0.5 * log_variance) * noise if training else mean

    def vae(x):
        h = layers.Dense(5, activation="relu")(x)
        mean, log_variance = layers.Dense(3, name="z_mean")(h), layers.Dense(3, name="z_log_var")(h)
        h = layers.Dense(5, activation="relu")(Sampling()([mean, log_variance]))
        return mean, layers.Dense(8, activation="sigmoid")(h)

    def picture(x):
        h = layers.Conv2D(3, (3, 2), strides=(2, 1), padding="same")(x)
        h = layers.Flatten()(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(h)))
        code = layers.Dense(5)(h)
        h = layers.Reshape((3, 8, 3))(layers.Dense(72, activation="relu")(code))
        return code, layers.Conv2DTranspose(2, (3, 2), strides=(2, 1), padding="same")(h)

    for name, (data, net) in {"dense": (vectors, dense), "conv": (series, conv), "normalised": (short_series, normalised),
                              "vae": (vectors, vae), "picture": (pictures, picture)}.items():
        keras.utils.clear_session()
        keras.utils.set_random_seed(7)
        x = keras.Input(data.shape[1:])
        code, y = net(x)
        model, encoder = keras.Model(x, y), keras.Model(x, code)
        model.compile(keras.optimizers.Adam(RATE), "mse")
        model.fit(data, data, batch_size=len(data), epochs=STEPS, verbose=0)
        weights = {w.path: np.asarray(w) for w in model.weights}
        if folder:
            import safetensors.numpy
            safetensors.numpy.save_file(weights, folder / f"keras_{name}.safetensors")
        yield name, data[:SHOWN], encoder(data[:SHOWN]), model(data[:SHOWN]), weights


def flax(folder):
    import flax.linen as nn
    import flax.traverse_util
    import jax
    import jax.numpy as jnp
    import optax

    class Dense(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            code = nn.Dense(3)(nn.relu(nn.LayerNorm()(nn.Dense(5)(x))))
            return code, nn.sigmoid(nn.Dense(8)(nn.relu(nn.Dense(5)(code))))

    class Conv(nn.Module):
        transpose_kernel: bool = False

        @nn.compact
        def __call__(self, x, train):
            h = nn.relu(nn.Conv(3, (3,), strides=2)(x))
            code = nn.Dense(5)(h.reshape(len(x), -1))
            h = nn.relu(nn.Dense(24)(code)).reshape(len(x), 8, 3)
            return code, nn.ConvTranspose(2, (3,), strides=(2,), transpose_kernel=self.transpose_kernel)(h)

    class Normalised(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            def normalise(h):
                return nn.BatchNorm(use_running_average=not train, momentum=0.9)(h)

            h = nn.relu(normalise(nn.Conv(3, (3,), padding="VALID")(x)))
            code = nn.Dense(4)(normalise(h.reshape(len(x), -1)))
            h = nn.relu(normalise(nn.Dense(18)(code))).reshape(len(x), 6, 3)
            return code, nn.ConvTranspose(2, (3,), padding="VALID")(h)

    class Vae(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            h = nn.relu(nn.Dense(5)(x))
            mean, log_variance = nn.Dense(3, name="mean")(h), nn.Dense(3, name="log_variance")(h)
            noise = jax.random.normal(jax.random.key(7), mean.shape)
            z = mean + jnp.exp(0.5 * log_variance) * noise if train else mean
            return mean, nn.sigmoid(nn.Dense(8)(nn.relu(nn.Dense(5)(z))))

    class Picture(nn.Module):
        transpose_kernel: bool = False

        @nn.compact
        def __call__(self, x, train):
            h = nn.Conv(3, (3, 2), strides=(2, 1))(x)
            h = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.9)(h))
            code = nn.Dense(5)(h.reshape(len(x), -1))
            h = nn.relu(nn.Dense(72)(code)).reshape(len(x), 3, 8, 3)
            return code, nn.ConvTranspose(2, (3, 2), strides=(2, 1), transpose_kernel=self.transpose_kernel)(h)

    for name, (data, model) in {"dense": (vectors, Dense()), "conv": (series, Conv()),
                                "conv_transposing": (series, Conv(transpose_kernel=True)),
                                "normalised": (short_series, Normalised()), "vae": (vectors, Vae()),
                                "picture": (pictures, Picture()),
                                "picture_transposing": (pictures, Picture(transpose_kernel=True))}.items():
        variables = model.init(jax.random.key(7), data, False)
        params, rest = variables["params"], {k: v for k, v in variables.items() if k != "params"}

        def loss(params, rest):
            (_, y), rest = model.apply({"params": params, **rest}, data, True, mutable=["batch_stats"])
            return jnp.mean((y - data) ** 2), rest

        adam = optax.adam(RATE)
        moments = adam.init(params)
        for _ in range(STEPS):
            gradient, rest = jax.grad(loss, has_aux=True)(params, rest)
            updates, moments = adam.update(gradient, moments)
            params = optax.apply_updates(params, updates)
        variables = {"params": params, **rest}
        code, y = model.apply(variables, data[:SHOWN], False)
        weights = flax.traverse_util.flatten_dict(variables, sep=".")
        if folder:
            import safetensors.flax
            safetensors.flax.save_file(weights, folder / f"flax_{name}.safetensors")
        yield name, data[:SHOWN], code, y, weights


def rounded(values):
    """The shortest doubles that are these numbers in single precision."""
    values = np.asarray(values, dtype=np.float32)
    return np.array([float(str(value)) for value in values.ravel()]).reshape(values.shape)


def version(framework):
    modules = {"pytorch": ["torch"], "keras": ["keras", "jax"], "flax": ["flax", "jax"]}[framework]
    return ", ".join(f"{name} {sys.modules[name].__version__}" for name in modules)


framework = sys.argv[1]
folder = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
tensors = {}
for name, x, code, y, weights in {"pytorch": pytorch, "keras": keras, "flax": flax}[framework](folder):
    tensors[f"{name}/x"], tensors[f"{name}/y"] = rounded(x), rounded(y)
    if code is not None:
        tensors[f"{name}/code"] = rounded(code)
    for key, values in weights.items():
        tensors[f"{name}:{key}"] = rounded(values)
frozen.write(here / f"python_weights_{framework}.txt", f"python_weights.py {framework}, {version(framework)}", tensors)
