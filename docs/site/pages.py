"""Which public name stands on which page of the reference: headers, section by section. On a page that has sections, a header
of its folders that none of them names is an error, as is one that is named and is not there.
"""

# page: (title, what it is, the folders whose headers belong here, sections of (title, headers))
REFERENCE = {
    "models": (
        "Models",
        "An autoencoder, or a network that is none; its parameters, its training pass, and what a trained one is asked for.",
        ["models"],
        [
            ("Autoencoders", ["models/autoencoder.hpp", "models/aliases.hpp"]),
            ("Networks", ["models/network.hpp"]),
            ("Layer by layer", ["models/greedy.hpp"]),
        ],
    ),
    "chains": (
        "Chains, shapes and batches",
        "How layers become an encoder or a decoder, what the shape of a sample is, and what a training loop holds in its hands.",
        [],
        [
            ("Chains", ["core/chain.hpp", "core/mirror.hpp"]),
            ("Shapes and batches", ["core/shape.hpp", "core/batch.hpp", "core/slice.hpp", "tensor.hpp"]),
            ("The tape", ["core/tape.hpp", "core/non_finite.hpp"]),
        ],
    ),
    "layers": (
        "Layers",
        "What a chain is made of. Names and defaults are Keras's; where Keras has none, PyTorch's. Sizes are template arguments, "
        "hyperparameters are members; the shape of the input follows from the layer before.",
        ["layers"],
        [
            ("Dense layers", ["layers/dense.hpp"]),
            ("Convolutions", ["layers/conv1d.hpp", "layers/conv1d_transpose.hpp", "layers/conv2d.hpp", "layers/conv2d_transpose.hpp"]),
            ("Pooling and upsampling", ["layers/pooling.hpp", "layers/pooling2d.hpp"]),
            ("Borders", ["layers/borders.hpp"]),
            ("Activations", ["layers/activations.hpp", "layers/prelu.hpp", "layers/softmax.hpp", "layers/output_activation.hpp"]),
            ("Normalisation", ["layers/batch_normalization.hpp", "layers/layer_normalization.hpp", "layers/group_normalization.hpp"]),
            ("Dropout", ["layers/dropout.hpp"]),
            ("Missing values", ["layers/zero_imputation.hpp"]),
            ("Shapes, branches and conditions", ["layers/reshape.hpp", "layers/residual.hpp", "layers/condition.hpp"]),
            ("What layers are told", ["layers/initializer.hpp", "layers/padding.hpp"]),
        ],
    ),
    "losses": (
        "Losses",
        "What compares the reconstruction with the target. Errors are means over the features of a sample, likelihoods sums in "
        "nats; both are means over the batch.",
        ["losses"],
        [],
    ),
    "terms": (
        "Corruptions and code terms",
        "What stands in the other two slots: what spoils the input, and what is asked of the code.",
        ["terms"],
        [
            ("Corruptions", ["terms/corruption.hpp"]),
            ("Variational", ["terms/gaussian_latent.hpp"]),
            ("Sparse", ["terms/l1.hpp", "terms/kl_sparsity.hpp", "terms/top_k.hpp", "terms/jump_relu.hpp", "terms/pre_activation_loss.hpp"]),
            ("Other penalties", ["terms/contractive.hpp", "terms/maximum_mean_discrepancy.hpp"]),
        ],
    ),
    "optimisers": (
        "Optimisers",
        "One step of a training loop, schedules of the learning rate, and limits to the gradient. Options are aggregates, hence "
        "two pairs of braces: `Adam{{.learning_rate = 1e-3}}`.",
        ["optim"],
        [
            ("Optimisers", ["optim/sgd.hpp", "optim/adam.hpp", "optim/adamw.hpp", "optim/adadelta.hpp", "optim/rmsprop.hpp",
                            "optim/adagrad.hpp", "optim/optimizer.hpp"]),
            ("Schedules", ["optim/schedules.hpp"]),
            ("Clipping", ["optim/clip.hpp"]),
        ],
    ),
    "data": (
        "Data",
        "From files and tables to batches: one column per sample.",
        ["data"],
        [
            ("Batches", ["data/minibatches.hpp", "data/split.hpp", "data/one_hot.hpp"]),
            ("Scaling", ["data/scaling.hpp"]),
            ("Series", ["data/windows.hpp"]),
            ("Tables", ["data/csv.hpp", "data/csv_options.hpp", "data/csv_lines.hpp"]),
            ("Pictures", ["data/idx.hpp", "data/binarize.hpp"]),
        ],
    ),
    "metrics": (
        "Metrics",
        "How good a reconstruction, a code or a detector is. Numbers are of double; distances of codes, error contributions "
        "and bounds of the likelihood are of the scalar type that they are computed of.",
        ["metrics"],
        [
            ("Anomaly scores", ["metrics/thresholds.hpp", "metrics/classification.hpp", "metrics/contributions.hpp",
                                "metrics/streaming_scorer.hpp", "metrics/mahalanobis_distance.hpp", "metrics/nearest_neighbors.hpp",
                                "metrics/combined_score.hpp"]),
            ("Reconstructions", ["metrics/picture_quality.hpp", "metrics/likelihood_bound.hpp", "metrics/accuracy.hpp"]),
            ("Codes", ["metrics/sparsity.hpp", "models/jacobian_norm.hpp"]),
        ],
    ),
    "training": (
        "Training loops",
        "What a loop of one's own is made of beside the optimiser: stopping in time, annealing, a bar, a history.",
        ["train"],
        [
            ("Stopping and slowing down", ["train/early_stopping.hpp", "train/reduce_lr_on_plateau.hpp"]),
            ("Annealing", ["train/annealing.hpp"]),
            ("Averaging", ["train/exponential_moving_average.hpp"]),
            ("Dictionaries and dead units", ["train/unit_norm.hpp", "train/revive.hpp"]),
            ("Many machines", ["train/mpi.hpp"]),
            ("Showing and keeping", ["train/progress.hpp", "train/history.hpp", "train/metric.hpp"]),
        ],
    ),
    "files": (
        "Files",
        "Models in files and as constants, weights of other frameworks, and ONNX. These headers are not part of `hourglass.hpp`.",
        ["io"],
        [
            ("Safetensors", ["io/safetensors.hpp"]),
            ("Other frameworks", ["io/python.hpp"]),
            ("ONNX", ["io/onnx.hpp"]),
            ("Constants of a program", ["io/constants.hpp"]),
        ],
    ),
    "inference": (
        "Inference and threads",
        "A trained model without the heap, and a training pass on several threads.",
        [],
        [
            ("Frozen models", ["freeze.hpp"]),
            ("Series as they come", ["streaming.hpp"]),
            ("Threads", ["workers.hpp"]),
        ],
    ),
    "basics": (
        "Random numbers and errors",
        "What all of the library draws from, and how it says that something is wrong.",
        [],
        [
            ("Random numbers", ["core/random.hpp"]),
            ("Errors", ["core/error.hpp"]),
            ("Memory", ["core/huge_pages.hpp"]),
        ],
    ),
    "authors": (
        "For authors of layers, terms and losses",
        "What a layer, a term or a loss of one's own is written with.",
        ["core"],
        [
            ("Layers", ["core/layer.hpp", "layers/pointwise.hpp"]),
            ("Terms and losses", ["core/term.hpp", "losses/additive_loss.hpp", "losses/elementwise_loss.hpp", "losses/cross_entropy.hpp"]),
            ("Views of memory", ["core/view.hpp"]),
        ],
    ),
}

# What most people look for stands first among the names of its header.
FIRST = ("autoencoder", "Autoencoder", "network", "minibatches", "read_csv", "read_idx_images", "save", "load", "freeze", "Rng")

# Pages written by hand, in the order of the menu; one that is not here is an error.
GUIDES = [
    ("Guides", ["training", "coming_from", "shapes", "tables", "pitfalls", "files", "real_time"]),
    ("Kinds of autoencoders", ["kinds/*"]),
    ("Project", ["speed", "faults", "add_a_layer", "versions"]),
]
