// The certificate authorities this system trusts, for targets whose configuration names none.
//
// Reading some hundred certificates takes 50 ms, in which a thread serves nobody else; hence they
// are read once and shared by all connections. Private to the edge.

#pragma once

#include <memory>

struct x509_store_st;

namespace sallyport {

// Those of OpenSSL's default file and folder (SSL_CTX_set_default_verify_paths(3)), read again when
// one of the two has changed. From any thread. Null where they cannot be read: OpenSSL's error
// queue says why.
std::shared_ptr<x509_store_st> system_authorities();

}  // namespace sallyport
