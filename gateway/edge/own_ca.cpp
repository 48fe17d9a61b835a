#include "gateway/edge/own_ca.h"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include "gateway/digest/digest.h"

namespace sallyport {

namespace {

constexpr int ca_days = 3650;
constexpr int server_days = 825;
constexpr int renew_days = 30;
constexpr long day_seconds = 86400;
constexpr long clock_slack_seconds = 3600;  // a client whose clock is behind shall not refuse it
constexpr std::size_t longest_common_name = 64;  // X.520's ub-common-name

template <auto release>
struct Release {
    template <class T>
    void operator()(T* object) const
    {
        release(object);
    }
};

using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509_free>>;
using Bio = std::unique_ptr<BIO, Release<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Release<X509_EXTENSION_free>>;
using Number = std::unique_ptr<BIGNUM, Release<BN_free>>;

tl::unexpected<Error> cannot(const std::string& doing, const std::string& file)
{
    const char* reason = ERR_reason_error_string(ERR_peek_error());
    std::string detail = "cannot " + doing + " " + file;
    if (reason != nullptr)
        detail += std::string(": ") + reason;
    ERR_clear_error();
    return failure(Fault::unavailable, std::move(detail));
}

tl::unexpected<Error> cannot_errno(const std::string& doing, const std::string& file)
{
    return failure(Fault::unavailable,
                   "cannot " + doing + " " + file + ": " + std::generic_category().message(errno));
}

bool exists(const std::string& file)
{
    struct stat found = {};
    return ::stat(file.c_str(), &found) == 0;
}

// The whole file or none of it: written beside it, then put in its place.
Result<void> write_file(const std::string& file, std::string_view text, mode_t mode)
{
    const std::string fresh = file + ".new";
    ::unlink(fresh.c_str());
    const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (descriptor < 0)
        return cannot_errno("write", fresh);
    while (!text.empty()) {
        const ssize_t count = ::write(descriptor, text.data(), text.size());
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0) {
            auto error = cannot_errno("write", fresh);
            ::close(descriptor);
            return error;
        }
        text.remove_prefix(static_cast<std::size_t>(count));
    }
    const bool durable = ::fsync(descriptor) == 0;
    if (::close(descriptor) != 0 || !durable || ::rename(fresh.c_str(), file.c_str()) != 0)
        return cannot_errno("write", file);
    return {};
}

template <class Write>
Secret pem_of(Write write)
{
    const Bio bio(BIO_new(BIO_s_secmem()));
    if (bio == nullptr || write(bio.get()) != 1)
        return {};
    char* text = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &text);
    return Secret(std::string(text, static_cast<std::size_t>(size)));
}

Secret pem_of(EVP_PKEY* key)
{
    return pem_of([key](BIO* bio) {
        return PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
}

std::string pem_of(X509* certificate)
{
    return std::string(
        pem_of([certificate](BIO* bio) { return PEM_write_bio_X509(bio, certificate); }).reveal());
}

int no_password(char*, int, int, void*)
{
    return 0;
}

Result<Key> read_key(const std::string& file)
{
    ERR_clear_error();
    const Bio bio(BIO_new_file(file.c_str(), "r"));
    Key key(bio == nullptr ? nullptr
                           : PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
    if (key == nullptr)
        return cannot("read the key", file);
    return key;
}

Result<Certificate> read_certificate(const std::string& file)
{
    ERR_clear_error();
    const Bio bio(BIO_new_file(file.c_str(), "r"));
    Certificate certificate(
        bio == nullptr ? nullptr : PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr)
        return cannot("read the certificate", file);
    return certificate;
}

// What a certificate says besides names and dates.
struct Purpose {
    const char* constraints;
    const char* key_usage;
    const char* extended_key_usage;  // nullptr: none
    std::string alternative_names;   // OpenSSL's spelling; empty: none
};

bool add_extension(X509* certificate, X509* issuer, int kind, const char* value)
{
    X509V3_CTX place;
    X509V3_set_ctx_nodb(&place);
    X509V3_set_ctx(&place, issuer, certificate, nullptr, nullptr, 0);
    const Extension extension(X509V3_EXT_conf_nid(nullptr, &place, kind, value));
    return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool set_random_serial(X509* certificate)
{
    std::array<std::byte, 16> octets{};
    fill_random(octets);
    octets[0] = (octets[0] & std::byte{0x7f}) | std::byte{0x40};  // positive, always 16 octets
    const Number number(BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                                  static_cast<int>(octets.size()), nullptr));
    return number != nullptr &&
           BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

// Signed by the issuer, or by itself where there is none.
Certificate make_certificate(const std::string& common_name, int days, EVP_PKEY* key, X509* issuer,
                             EVP_PKEY* issuer_key, const Purpose& purpose)
{
    Certificate certificate(X509_new());
    X509* made = certificate.get();
    if (made == nullptr || X509_set_version(made, X509_VERSION_3) != 1 ||
        !set_random_serial(made) || X509_set_pubkey(made, key) != 1)
        return nullptr;
    X509_gmtime_adj(X509_getm_notBefore(made), -clock_slack_seconds);
    X509_gmtime_adj(X509_getm_notAfter(made), days * day_seconds);
    X509_NAME* subject = X509_get_subject_name(made);
    if (X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                   reinterpret_cast<const unsigned char*>(common_name.data()),
                                   static_cast<int>(common_name.size()), -1, 0) != 1)
        return nullptr;
    X509* signer = issuer == nullptr ? made : issuer;
    X509_set_issuer_name(made, X509_get_subject_name(signer));
    const bool complete =
        add_extension(made, signer, NID_basic_constraints, purpose.constraints) &&
        add_extension(made, signer, NID_key_usage, purpose.key_usage) &&
        add_extension(made, signer, NID_subject_key_identifier, "hash") &&
        add_extension(made, signer, NID_authority_key_identifier, "keyid") &&
        (purpose.extended_key_usage == nullptr ||
         add_extension(made, signer, NID_ext_key_usage, purpose.extended_key_usage)) &&
        (purpose.alternative_names.empty() ||
         add_extension(made, signer, NID_subject_alt_name, purpose.alternative_names.c_str()));
    if (!complete || X509_sign(made, issuer_key, EVP_sha256()) == 0)
        return nullptr;
    return certificate;
}

std::string host_name()
{
    std::array<char, 256> name{};
    if (::gethostname(name.data(), name.size() - 1) != 0)
        return {};
    return name.data();
}

bool is_dns_name(const std::string& name)
{
    return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '.';
    });
}

// "DNS:localhost,IP:127.0.0.1": each once, without the addresses that mean "all of them".
std::string alternative_names(const std::vector<std::string>& addresses)
{
    std::vector<std::string> names;
    const auto add = [&names](const std::string& text) {
        boost::system::error_code not_numeric;
        const auto address = boost::asio::ip::make_address(text, not_numeric);
        if (!not_numeric && address.is_unspecified())
            return;
        if (not_numeric && !is_dns_name(text))
            return;
        std::string name = not_numeric ? "DNS:" + text : "IP:" + address.to_string();
        if (std::find(names.begin(), names.end(), name) == names.end())
            names.push_back(std::move(name));
    };
    add("localhost");
    add(host_name());
    add("127.0.0.1");
    add("::1");
    for (const std::string& address : addresses)
        add(address);
    std::string joined;
    for (const std::string& name : names)
        joined += (joined.empty() ? "" : ",") + name;
    return joined;
}

bool near_its_end(const X509* certificate)
{
    int days = 0;
    int seconds = 0;
    return ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1 ||
           days < renew_days;
}

// True where every wanted name is in the certificate; the listeners may have changed.
bool covers(X509* certificate, const std::vector<std::string>& addresses)
{
    return std::all_of(addresses.begin(), addresses.end(), [certificate](const auto& text) {
        boost::system::error_code not_numeric;
        const auto address = boost::asio::ip::make_address(text, not_numeric);
        if (!not_numeric)
            return address.is_unspecified() ||
                   X509_check_ip_asc(certificate, address.to_string().c_str(), 0) == 1;
        return !is_dns_name(text) ||
               X509_check_host(certificate, text.data(), text.size(), 0, nullptr) == 1;
    });
}

struct Authority {
    Key key;
    Certificate certificate;
};

Result<Authority> read_authority(const std::string& directory)
{
    TRY(key, read_key(directory + "/ca.key"));
    TRY(certificate, read_certificate(directory + "/ca.crt"));
    if (X509_check_private_key(certificate.get(), key.get()) != 1)
        return failure(Fault::unavailable,
                       directory + "/ca.key does not belong to " + directory + "/ca.crt");
    return Authority{std::move(key), std::move(certificate)};
}

Result<Authority> make_authority(const std::string& directory)
{
    ERR_clear_error();
    Key key(EVP_EC_gen("P-256"));
    if (key == nullptr)
        return cannot("make a key for", directory + "/ca.crt");
    const Purpose purpose{
        "critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", nullptr, {}};
    Certificate certificate = make_certificate("Sallyport CA " + host_name().substr(0, 48), ca_days,
                                               key.get(), nullptr, key.get(), purpose);
    if (certificate == nullptr)
        return cannot("make", directory + "/ca.crt");
    // The key first: a certificate without its key would be kept for ever.
    if (auto done = write_file(directory + "/ca.key", pem_of(key.get()).reveal(), 0600); !done)
        return tl::unexpected(std::move(done).error());
    if (auto done = write_file(directory + "/ca.crt", pem_of(certificate.get()), 0644); !done)
        return tl::unexpected(std::move(done).error());
    return Authority{std::move(key), std::move(certificate)};
}

// True where the server's certificate can stay.
bool still_good(const OwnCertificates& own, const Authority& authority,
                const std::vector<std::string>& addresses)
{
    const auto certificate = read_certificate(own.certificate_file);
    const auto key = read_key(own.key_file);
    ERR_clear_error();
    if (!certificate || !key)
        return false;
    X509* shown = certificate->get();
    const bool good = X509_check_private_key(shown, key->get()) == 1 &&
                      X509_verify(shown, authority.key.get()) == 1 && !near_its_end(shown) &&
                      covers(shown, addresses);
    ERR_clear_error();
    return good;
}

}  // namespace

Result<OwnCertificates> own_certificates(const std::string& state_directory,
                                         const std::vector<std::string>& addresses)
{
    OwnCertificates own{state_directory + "/ca.crt", state_directory + "/tls.crt",
                        state_directory + "/tls.key"};
    // Without its certificate nobody trusts the key yet, so a start that was cut off begins anew.
    TRY(authority,
        exists(own.ca_file) ? read_authority(state_directory) : make_authority(state_directory));
    if (still_good(own, authority, addresses))
        return own;

    ERR_clear_error();
    const Key key(EVP_EC_gen("P-256"));
    if (key == nullptr)
        return cannot("make a key for", own.certificate_file);
    const Purpose purpose{"critical,CA:FALSE", "critical,digitalSignature", "serverAuth",
                          alternative_names(addresses)};
    const Certificate certificate =
        make_certificate("Sallyport", server_days, key.get(), authority.certificate.get(),
                         authority.key.get(), purpose);
    if (certificate == nullptr)
        return cannot("make", own.certificate_file);
    if (auto done = write_file(own.key_file, pem_of(key.get()).reveal(), 0600); !done)
        return tl::unexpected(std::move(done).error());
    if (auto done = write_file(own.certificate_file, pem_of(certificate.get()), 0644); !done)
        return tl::unexpected(std::move(done).error());
    return own;
}

Result<IssuedCertificate> issue_client_certificate(const std::string& state_directory,
                                                   const std::string& user, int days)
{
    const bool printable = std::none_of(user.begin(), user.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
    if (user.empty() || user.size() > longest_common_name || !printable || days < 1)
        return failure(Fault::refused,
                       "no client certificate can be made for this user name: it "
                       "must be 1 to 64 printable characters");
    TRY(authority, read_authority(state_directory));
    ERR_clear_error();
    const Key key(EVP_EC_gen("P-256"));
    if (key == nullptr)
        return cannot("make a key for", "a client certificate");
    const Purpose purpose{"critical,CA:FALSE", "critical,digitalSignature", "clientAuth", {}};
    const Certificate certificate = make_certificate(
        user, days, key.get(), authority.certificate.get(), authority.key.get(), purpose);
    if (certificate == nullptr)
        return cannot("make", "a client certificate");
    return IssuedCertificate{pem_of(certificate.get()), pem_of(key.get())};
}

}  // namespace sallyport
