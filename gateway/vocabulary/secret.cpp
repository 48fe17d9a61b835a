#include "gateway/vocabulary/secret.h"

#include <cstring>
#include <utility>

namespace sallyport {

Secret::Secret(Secret&& other) noexcept : value_(other.value_)
{
    // A short string lives inside the object: moving would leave its bytes behind.
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
