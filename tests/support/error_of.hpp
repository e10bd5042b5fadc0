// The message of the error that a call throws.
#pragma once

#include <hourglass/core/error.hpp>
#include <string>

/// What the `Error` thrown by `call()` says; "nothing was thrown" without one.
template <class Call>
std::string error_of(Call call) {
    try {
        call();
    } catch (const hourglass::Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}
