# run_on_ranks(<result> <output> <ranks> <program> <argument>...): what mpirun says of a program on so many ranks of this
# machine, as root too, on fewer cores than ranks, and without a remote shell. Where there is no mpirun the test ends here:
# ctest counts it as skipped for what is printed.
function(run_on_ranks result output ranks)
    find_program(MPIRUN NAMES mpirun mpiexec)
    if(NOT MPIRUN)
        message(FATAL_ERROR "SKIPPED: needs mpirun (Debian: openmpi-bin)")
    endif()
    execute_process(COMMAND ${CMAKE_COMMAND} -E env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
            OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_plm=isolated OMPI_MCA_mpi_yield_when_idle=1
            OMPI_MCA_btl_vader_single_copy_mechanism=none
            ${MPIRUN} -n ${ranks} ${ARGN}
        TIMEOUT 300 RESULT_VARIABLE status OUTPUT_VARIABLE printed ERROR_VARIABLE printed)
    set(${result} "${status}" PARENT_SCOPE)
    set(${output} "${printed}" PARENT_SCOPE)
endfunction()
