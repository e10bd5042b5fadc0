# The two programs that watch a pump: one trains and writes a file, PROGRAM loads it and scores readings line by line.
cmake_minimum_required(VERSION 3.24)

set(work ${BINARY_DIR}/18_detector_scoring)
file(REMOVE_RECURSE ${work})
file(MAKE_DIRECTORY ${work})

# run(<status> <sentence> <command> <argument>...): the command ends with this status and says something that matches.
function(run status sentence)
    execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work} TIMEOUT 60
        INPUT_FILE ${work}/input.csv RESULT_VARIABLE ended OUTPUT_VARIABLE output ERROR_VARIABLE output)
    message(NOTICE "${output}")
    if(NOT ended STREQUAL "${status}" OR NOT output MATCHES "${sentence}")
        message(FATAL_ERROR "${ARGN}: ends with ${ended}, expected ${status} and \"${sentence}\"")
    endif()
endfunction()

file(WRITE ${work}/input.csv "")
run(0 "pump.safetensors written" ${EXAMPLES}/17_detector_training --budget small)
file(RENAME ${work}/readings_to_score.csv ${work}/input.csv)
run(0 "line [0-9]+: error [0-9.]+, [a-z]+ [0-9]+ %.*200 lines scored at a threshold of 0\\.[0-9]+, [1-9][0-9]? flagged, 0 without"
    ${PROGRAM})
run(1 "^load: none cannot be opened: No such file or directory\n$" ${PROGRAM} none)
file(READ ${work}/input.csv readings)
string(REGEX MATCH "^[^\n]+\n" header "${readings}")
file(WRITE ${work}/input.csv "${header}1,1,,4,1,1,x,1\n1,1\n")
run(0 "line 2: no number for power, temperature\nline 3: no number for power, .*\n0 lines scored .* 2 without a number\n$" ${PROGRAM})
file(WRITE ${work}/input.csv "a,b\n1,2\n")
run(1 "^the first line does not name the pump's readings\n$" ${PROGRAM})

# A file of which the last byte is missing, or one bit is wrong, is refused.
file(SIZE ${work}/pump.safetensors size)
math(EXPR size "${size} - 1")
execute_process(COMMAND head -c ${size} ${work}/pump.safetensors OUTPUT_FILE ${work}/short.safetensors)
run(1 "^load: short.safetensors: [^\n]*\n$" ${PROGRAM} short.safetensors)
