# Examples in headers compile: every block of indented lines in a docstring (`///     `) that holds a statement or one of
# our names is code, and so is the layer that core/layer.hpp explains the contract with. Each becomes a function of one
# file, behind docstrings.hpp, which declares what a reader has at hand. "…" stands for what is left out. Compiled with
# COMPILER, for syntax alone.
cmake_minimum_required(VERSION 3.24)
include(${CMAKE_CURRENT_LIST_DIR}/../support/compile.cmake)

# What an example takes for granted beside that.
set(before_io/safetensors.hpp "hg::StandardScaler scaler; double threshold = 0;")
set(before_models/unit_norm.hpp "auto tape = model.tape();")
set(before_tensor.hpp "const Eigen::Tensor<float, 3> batch(1, 784, 3);")
set(before_train/annealing.hpp
    "auto model = hg::autoencoder<Doubled, Decoder>(rng, hg::BernoulliLikelihood{}, hg::GaussianLatent{});")
set(before_terms/top_k.hpp "auto model = hg::autoencoder<Encoder, Decoder>(rng, hg::MeanSquaredError{}, hg::BatchTopK<32>{});")

set(program "#include \"${CMAKE_CURRENT_LIST_DIR}/docstrings.hpp\"\n")
set(examples 0)

# add_example(<header> <line>): what ${block} holds, if that is code, as a function of ${program}.
macro(add_example header line)
    if("${block}" MATCHES "hg::|;")
        string(REPLACE "…" "" code "${block}")
        if(NOT code MATCHES ";")  # an expression a line
            string(REPLACE "\n" ";\n" code "${code}")
        endif()
        string(REPLACE "@(" "[" code "${code}")
        string(REPLACE "@)" "]" code "${code}")
        math(EXPR examples "${examples} + 1")
        string(APPEND program "void example_${examples}() {\n${before_${header}}\n{\n#line ${line} \"${header}\"\n${code}}\n}\n")
    endif()
    set(block "")
endmacro()

file(GLOB_RECURSE headers RELATIVE ${SOURCE_DIR}/include/hourglass ${SOURCE_DIR}/include/hourglass/*.hpp)
leave_out_mpi(headers)
foreach(header IN LISTS headers)
    # The characters that trouble CMake's lists are taken out, and put back.
    file(READ ${SOURCE_DIR}/include/hourglass/${header} text)
    string(REPLACE "\\" "@b" text "${text}")
    string(REPLACE "[" "@(" text "${text}")
    string(REPLACE "]" "@)" text "${text}")
    string(REPLACE ";" "@s" text "${text}")
    string(REPLACE "\n" ";" lines "${text}")
    set(block "")
    set(first 1)
    set(number 0)
    foreach(line IN LISTS lines)
        math(EXPR number "${number} + 1")
        string(REPLACE "@s" ";" line "${line}")
        string(REPLACE "@b" "\\" line "${line}")
        if(line MATCHES "^ *///     (.*)")
            if(block STREQUAL "")
                set(first ${number})
            endif()
            string(APPEND block "${CMAKE_MATCH_1}\n")
        else()
            add_example(${header} ${first})
        endif()
    endforeach()
endforeach()
if(examples LESS 15)
    message(FATAL_ERROR "Found only ${examples} examples in headers")
endif()

# The contract's own example, between the comment's struct and its end.
file(READ ${SOURCE_DIR}/include/hourglass/core/layer.hpp text)
string(FIND "${text}" "//   struct Scale {" begin)
string(FIND "${text}" "//   };" end)
if(begin EQUAL -1 OR end LESS begin)
    message(FATAL_ERROR "core/layer.hpp does not show the layer Scale")
endif()
math(EXPR length "${end} - ${begin}")
string(SUBSTRING "${text}" ${begin} ${length} scale)
string(REGEX REPLACE "(^|\n)//" "\\1" scale "${scale}")
string(APPEND program "namespace hourglass {\n#line 3 \"core/layer.hpp\"\n${scale}};\nstatic_assert(Layer<Scale, Shape{3, 4}>);\n}\n")

cmake_path(GET COMPILER STEM compiler_name)
set(source ${BINARY_DIR}/docstrings.${compiler_name}.cpp)
file(WRITE ${source} "${program}")
# As with the README, a fragment may leave things unused.
compile(status output ${COMPILER} -w -fsyntax-only ${source})
if(NOT status EQUAL 0)
    first_lines(shown 40 "${output}")
    message(NOTICE "${shown}")
    message(FATAL_ERROR "An example in a header does not compile")
endif()
