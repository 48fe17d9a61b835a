// The gateway's own certificate authority, made in the state directory at first start.

#pragma once

#include <string>
#include <vector>

#include "gateway/vocabulary/result.h"
#include "gateway/vocabulary/secret.h"

namespace sallyport {

struct OwnCertificates {
    std::string ca_file;  // ca.crt: what clients are told to trust
    std::string
        certificate_file;  // tls.crt, signed by it: localhost, the host's name, 127.0.0.1, ::1
    std::string key_file;  // tls.key, 0600
};

// Makes what is missing (ca.key and tls.key 0600, ECDSA P-256; the CA for 10 years, the server's
// for 825 days and made again when less than 30 days are left), keeps what is there. The error
// names the file. `addresses`: what the listeners bind to, added to the certificate's names.
Result<OwnCertificates> own_certificates(const std::string& state_directory,
                                         const std::vector<std::string>& addresses);

struct IssuedCertificate {
    std::string certificate;  // PEM
    Secret key;               // PEM, ECDSA P-256, made for it
};

// A client certificate of the CA that own_certificates() made: its common name is the user's, it is
// valid from now on for `days`, and for client authentication only. Fault::refused for a name that
// no certificate can hold (empty, longer than 64 characters, with control characters).
Result<IssuedCertificate> issue_client_certificate(const std::string& state_directory,
                                                   const std::string& user, int days);

}  // namespace sallyport
