// The Ed25519 key a gateway makes at each start and forgets when it ends: what its heads are signed
// with. The public half is registered in the store before the first frame.

#pragma once

#include <array>
#include <cstddef>
#include <memory>

struct evp_pkey_st;

namespace sallyport {

class BootKey {
public:
    // Ends the process where the operating system gives no random numbers.
    BootKey();

    std::array<std::byte, 32> public_key() const;

private:
    struct Free {
        void operator()(evp_pkey_st* key) const;
    };
    std::unique_ptr<evp_pkey_st, Free> key_;
};

}  // namespace sallyport
