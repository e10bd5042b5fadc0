# The public face: every name that stands directly in namespace hourglass is in the list below, and every name in the list
# is there. What is not for users lives in the namespace of its folder, so that a user's completion shows the face alone.
#
# Headers are formatted: a declaration begins in the first column, its continuation is indented, a namespace begins and ends
# on a line of its own. Macros end with the header that defines them, but for those of core/version.hpp.
#
# SOURCE_DIR is the project; INCLUDE_DIR, when given, another tree to look at.
cmake_minimum_required(VERSION 3.24)
if(NOT INCLUDE_DIR)
    set(INCLUDE_DIR ${SOURCE_DIR}/include)
endif()

set(public
    # models
    Autoencoder BasicAutoencoder ContractiveAutoencoder DenoisingAutoencoder Network SparseAutoencoder VariationalAutoencoder
    autoencoder codes each_stage jacobian_norm network remove_parallel_gradient stages unit_norm_decoder
    # chains, batches, what a loop holds
    Batch Chain Mirror NonFinite Shape Slice Tape Tied chain given matrix mirror tensor tie
    # layers
    AveragePooling1D AveragePooling2D BatchNormalization Condition Conv1D Conv1DTranspose Conv2D Conv2DTranspose Cropping1D
    Cropping2D Dense Dropout ELU Extent Flatten GELU GlobalAveragePooling2D GroupNormalization HardSwish Initializer Interpolation LayerNormalization
    LeakyReLU MaxPooling1D MaxPooling2D Mish OutputActivation PReLU Padding ReLU Reshape Residual SELU Sigmoid SiLU Softmax Softplus SpatialDropout Tanh
    UpSampling1D UpSampling2D ZeroImputation ZeroPadding1D ZeroPadding2D
    # losses
    BernoulliLikelihood BinaryCrossEntropy CategoricalCrossEntropy FeatureGroups GaussianLikelihood Group Huber LearnedGaussianLikelihood
    Masked MeanAbsoluteError MeanSquaredError StructuralSimilarity
    # terms
    BatchTopK Contractive Corruption GaussianLatent GaussianNoise JumpReLU KlSparsity L1 MaskingNoise MaximumMeanDiscrepancy
    Posterior PreActivationLoss SaltAndPepperNoise TopK
    # optimisers
    Adadelta Adagrad Adam AdamW CosineDecay ExponentialDecay LinearWarmup Optimizer RMSprop Sgd StepDecay clip_by_norm
    clip_by_value
    # data
    BatchPair Csv CsvCategories CsvColumn CsvField CsvHeader CsvLines CsvMissing CsvOptions CsvTable Idx LabelledSplit LastBatch MinMaxOptions MinMaxScaler Minibatches
    PairedMinibatches Pixels Split StandardOptions StandardScaler binarize minibatches one_hot overlap_mean parse_csv_field parse_csv_number read_csv read_idx read_idx_images
    read_idx_labels sliding_windows train_test_split window_count
    # metrics
    Classification CombinedScore Contribution MahalanobisDistance NearestNeighbors StreamingOptions StreamingScorer WindowError WindowScore accuracy activation_density
    best_f1_threshold classify dead_units error_contributions fraction_of_variance_unexplained importance_weighted_bound
    mean_active_units peak_signal_to_noise_ratio quantile_threshold roc_auc sigma_threshold structural_similarity
    top_contributions
    # training
    CyclicalAnnealing DataParallel EarlyStopping ExponentialMovingAverage History LinearAnnealing Metric Metrics ProgressBar ProgressStyle ReduceLROnPlateau revive
    # files
    IgnoreOthers Named OnnxPart converting export_constants export_onnx from_flax from_keras from_pytorch load named save set_weights
    # random numbers, threads, memory, errors
    Error Frozen Rng Stream StreamingNetwork Workers fail first_non_finite freeze is_finite philox prefer_huge_pages shuffle streaming text
    # what the author of a layer, a term or a loss writes with
    AdditiveLoss ConstFlat ConstView Context CrossEntropy ElementwiseLoss Extents Flat Index Input Layer Link Matrix Pointwise Range Slot
    TiedWeights Traits Vector View Weight clear flat initialize initialize_bias
)

file(GLOB_RECURSE headers RELATIVE ${INCLUDE_DIR}/hourglass ${INCLUDE_DIR}/hourglass/*.hpp)
if(NOT headers)
    message(FATAL_ERROR "No header found below ${INCLUDE_DIR}/hourglass")
endif()

set(found)
set(wrong "")
foreach(header IN LISTS headers)
    file(READ ${INCLUDE_DIR}/hourglass/${header} text)
    string(REGEX REPLACE "\\[\\[[^\n]*\\]\\] " "" text "${text}")
    string(REGEX REPLACE "[][;\\]" " " text "${text}")
    string(REGEX MATCHALL "\n#define +[A-Za-z0-9_]+" macros "${text}")
    foreach(macro IN LISTS macros)
        string(REGEX REPLACE ".* " "" macro "${macro}")
        if(NOT header STREQUAL "core/version.hpp" AND NOT text MATCHES "\n#undef ${macro}\n")
            string(APPEND wrong "  ${header} leaves the macro ${macro} behind\n")
        endif()
    endforeach()
    string(REPLACE "\n" ";" lines "${text}")
    set(scope)
    set(begun "")
    foreach(line IN LISTS lines)
        if(line MATCHES "^(inline )?namespace ([A-Za-z_]+) {")
            list(APPEND scope ${CMAKE_MATCH_2})
        elseif(line MATCHES "^}  // namespace")
            list(POP_BACK scope)
        elseif(scope STREQUAL "hourglass;HOURGLASS_ABI")
            string(REGEX REPLACE "//.*" "" line "${line}")
            if(last MATCHES "^template" AND line MATCHES "^ +requires [^(]*[ >]([a-z0-9_]+)\\(")
                list(APPEND found ${CMAKE_MATCH_1})  # clang-format 14 leaves these behind their constraint
            endif()
            set(last "${line}")
            set(line "${begun}${line}")
            set(begun "")
            if(line MATCHES "^(class|struct|enum class|enum|concept|using) ([A-Za-z0-9_]+)")
                list(APPEND found ${CMAKE_MATCH_2})
            elseif(line MATCHES "^[A-Za-z]" AND NOT line MATCHES "^template|^(public|protected|private):|operator")
                if(line MATCHES "([A-Za-z0-9_]+)\\(")
                    list(APPEND found ${CMAKE_MATCH_1})
                elseif(line MATCHES "([A-Za-z0-9_]+) *(=|{)")
                    list(APPEND found ${CMAKE_MATCH_1})
                else()
                    set(begun "${line} ")  # a long result type, with the name in the next line
                endif()
            endif()
        endif()
    endforeach()
    if(scope)
        string(APPEND wrong "  ${header}: the end of namespace ${scope} is not marked as such\n")
    endif()
endforeach()
list(REMOVE_DUPLICATES found)
list(SORT found)

foreach(name IN LISTS found)
    if(NOT name IN_LIST public)
        string(APPEND wrong "  ${name} is not in the list: is it for users? Else it belongs into the namespace of its folder\n")
    endif()
endforeach()
foreach(name IN LISTS public)
    if(NOT name IN_LIST found)
        string(APPEND wrong "  there is no ${name}\n")
    endif()
endforeach()
if(wrong)
    message(NOTICE "${wrong}")
    message(FATAL_ERROR "The public face is another than tests/layering/public_names.cmake lists")
endif()
