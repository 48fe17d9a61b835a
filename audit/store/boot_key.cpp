#include "audit/store/boot_key.h"

#include <cstdlib>
#include <openssl/evp.h>

namespace sallyport {

void BootKey::Free::operator()(evp_pkey_st* key) const
{
    EVP_PKEY_free(key);
}

BootKey::BootKey() : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"))
{
    if (!key_)
        std::abort();
}

std::array<std::byte, 32> BootKey::public_key() const
{
    std::array<std::byte, 32> bytes{};
    std::size_t size = bytes.size();
    if (EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                                    &size) != 1)
        std::abort();
    return bytes;
}

}  // namespace sallyport
