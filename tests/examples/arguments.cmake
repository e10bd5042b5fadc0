# What one example, PROGRAM, says to wrong arguments, and with which exit status it ends.
cmake_minimum_required(VERSION 3.24)

cmake_path(GET SOURCE STEM name)
set(work ${BINARY_DIR}/${name}.arguments)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work}/empty)

# expect(<status> <sentence> <argument>...): the program ends with this status and says something that matches.
function(expect status sentence)
    execute_process(COMMAND ${PROGRAM} ${ARGN} WORKING_DIRECTORY ${work} TIMEOUT 60
        RESULT_VARIABLE ended OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT ended STREQUAL "${status}" OR NOT output MATCHES "${sentence}")
        message(NOTICE "${output}")
        message(FATAL_ERROR "${name} ${ARGN}: ends with ${ended}, expected ${status} and \"${sentence}\"")
    endif()
endfunction()

# No data: 77, which test runners take for "skipped", and where the data comes from. A file of the user's own that cannot be
# read is an error; an example that makes its data takes none.
file(READ ${SOURCE} source)
if(source MATCHES "takes_data = false")
    expect(0 "^usage: [^ ]* \\[--epochs N\\].*--budget small" --help)
    expect(2 "not understood: --data /nonexistent.*usage: " --data /nonexistent)
else()
    expect(0 "^usage: .*--data (DIR|FILE).*--budget small" --help)
endif()
if(source MATCHES "takes_data = false")
elseif(source MATCHES "support/(table|pump).hpp")
    expect(1 "^read_csv: /nonexistent cannot be opened: No such file or directory\n$" --data /nonexistent)
    expect(1 "^read_csv: [^\n]*/empty: [^\n]*\n$" --data ${work}/empty)
else()
    expect(77 "is not in /nonexistent: .*package .*--data DIR" --data /nonexistent)
    expect(77 "is not in [^\n]*/empty: .*package .*--data DIR" --data ${work}/empty)
endif()

expect(2 "--epochs takes a number, got \"x\".*usage: " --epochs x)
expect(2 "not understood: --epochs 0.*usage: " --epochs 0)
expect(2 "not understood: --epochs -3.*usage: " --epochs -3)
expect(2 "--seed takes a number, got \"many\".*usage: " --seed many)
expect(2 "not understood: --budget tiny.*usage: " --budget tiny)
expect(2 "not understood: --epoch 3.*usage: " --epoch 3)
expect(2 "not understood: --data.*usage: " --data)
expect(2 "--epochs takes a number, got \"\".*usage: " --epochs)

file(GLOB left ${work}/* ${work}/empty/*)
if(NOT left STREQUAL "${work}/empty")
    message(FATAL_ERROR "${name} leaves files behind though it did not run: ${left}")
endif()
