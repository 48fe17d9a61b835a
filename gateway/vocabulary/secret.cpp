#include "gateway/vocabulary/secret.h"

#include <cstring>
#include <utility>

namespace sallyport {

// A short string lives inside the object: moving it would leave its bytes behind.
Secret::Secret(Secret&& other) noexcept : value_(other.value_.begin(), other.value_.end())
{
    other.erase();
}

Secret& Secret::operator=(Secret&& other) noexcept
{
    if (this != &other) {
        erase();
        value_ = other.value_;
        other.erase();
    }
    return *this;
}

void Secret::erase() noexcept
{
    // explicit_bzero is not removed by the optimiser, which memset before a free would be.
    explicit_bzero(value_.data(), value_.size());
    value_.clear();
}

}  // namespace sallyport
