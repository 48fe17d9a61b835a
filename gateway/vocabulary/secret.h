// A password, key or token: erased when it goes, and impossible to print by accident.

#pragma once

#include <string>
#include <string_view>

namespace sallyport {

// Move-only. There is no operator<<, no formatter and no comparison; reveal() is the one way in, so
// that every use of a secret can be found by its name.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    Secret(Secret&& other) noexcept;
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { erase(); }

    // Valid until this Secret is destroyed or moved from. Never log it, store it or put it in an
    // Error.
    std::string_view reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

    // A second owner, where a value outlives the configuration it came from.
    Secret duplicate() const { return Secret(value_); }

private:
    void erase() noexcept;

    std::string value_;
};

}  // namespace sallyport
