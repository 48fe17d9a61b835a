// The permit to open a session: somebody proved to be this user.

#pragma once

#include <utility>

#include "gateway/vocabulary/identity.h"

namespace sallyport {

// Only UserDirectory and ScramServer make one, so that no protocol can admit a client that proved
// nothing.
class ProvedUser {
public:
    const Identity& identity() const { return identity_; }

private:
    friend class UserDirectory;
    friend class ScramServer;
    explicit ProvedUser(Identity identity) : identity_(std::move(identity)) {}

    Identity identity_;
};

}  // namespace sallyport
