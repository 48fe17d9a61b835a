#include "gateway/edge/own_ca.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "tests/gateway/edge/loopback.h"

namespace sallyport::testing {
namespace {

struct FreeX509 {
    void operator()(X509* certificate) const { X509_free(certificate); }
};
using Certificate = std::unique_ptr<X509, FreeX509>;

Certificate certificate_of(const std::string& pem)
{
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    Certificate certificate(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
    BIO_free(bio);
    return certificate;
}

int days_left(const X509* certificate)
{
    int days = 0;
    int seconds = 0;
    ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate));
    return days;
}

unsigned mode_of(const std::string& file)
{
    struct stat found = {};
    EXPECT_EQ(::stat(file.c_str(), &found), 0) << file;
    return found.st_mode & 0777U;
}

bool openssl_verifies(const TemporaryDirectory& directory, const std::string& purpose,
                      const std::string& file)
{
    const std::string command = "openssl verify -x509_strict -purpose " + purpose + " -CAfile " +
                                directory.file("ca.crt") + " " + file + " >/dev/null 2>&1";
    return std::system(command.c_str()) == 0;
}

TEST(OwnCaTest, MakesAnAuthorityAndAServerCertificate)
{
    const TemporaryDirectory directory;
    const auto own = own_certificates(directory.path(), {"10.1.2.3", "0.0.0.0", "::", "db.local"});
    ASSERT_TRUE(own.has_value()) << own.error().detail;
    EXPECT_EQ(mode_of(directory.file("ca.key")), 0600U);
    EXPECT_EQ(mode_of(own->key_file), 0600U);
    EXPECT_EQ(mode_of(own->ca_file), 0644U);
    EXPECT_TRUE(openssl_verifies(directory, "sslserver", own->certificate_file));
    EXPECT_FALSE(openssl_verifies(directory, "sslclient", own->certificate_file));

    const Certificate shown = certificate_of(contents(own->certificate_file));
    for (const char* address : {"127.0.0.1", "::1", "10.1.2.3"})
        EXPECT_EQ(X509_check_ip_asc(shown.get(), address, 0), 1) << address;
    EXPECT_EQ(X509_check_ip_asc(shown.get(), "0.0.0.0", 0), 0);
    EXPECT_EQ(X509_check_host(shown.get(), "localhost", 0, 0, nullptr), 1);
    EXPECT_EQ(X509_check_host(shown.get(), "db.local", 0, 0, nullptr), 1);
    EXPECT_NEAR(days_left(shown.get()), 825, 1);
    EXPECT_EQ(X509_check_ca(shown.get()), 0);

    const Certificate authority = certificate_of(contents(own->ca_file));
    EXPECT_NEAR(days_left(authority.get()), 3650, 1);
    EXPECT_EQ(X509_check_ca(authority.get()), 1);
    EXPECT_EQ(i2d_ASN1_INTEGER(X509_get0_serialNumber(shown.get()) == nullptr
                                   ? nullptr
                                   : X509_get_serialNumber(shown.get()),
                               nullptr),
              18);
}

TEST(OwnCaTest, KeepsWhatIsThere)
{
    const TemporaryDirectory directory;
    const auto first = own_certificates(directory.path(), {"10.1.2.3"});
    const std::string authority = contents(first->ca_file);
    const std::string shown = contents(first->certificate_file);
    ASSERT_TRUE(own_certificates(directory.path(), {"10.1.2.3"}).has_value());
    EXPECT_EQ(contents(first->ca_file), authority);
    EXPECT_EQ(contents(first->certificate_file), shown);
    // A listener on another address needs a certificate that names it; clients trust it as before.
    ASSERT_TRUE(own_certificates(directory.path(), {"10.9.9.9"}).has_value());
    EXPECT_EQ(contents(first->ca_file), authority);
    EXPECT_NE(contents(first->certificate_file), shown);
}

TEST(OwnCaTest, MakesTheServerCertificateAgainWhenItIsNearItsEnd)
{
    const TemporaryDirectory directory;
    const auto own = own_certificates(directory.path(), {});
    const std::string command =
        "cd " + directory.path() +
        " && openssl req -new -key tls.key -subj /CN=old -addext "
        "subjectAltName=DNS:localhost -out old.csr 2>/dev/null && openssl x509 -req -days 29 "
        "-in old.csr -CA ca.crt -CAkey ca.key -copy_extensions copy -out tls.crt 2>/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0);
    EXPECT_LT(days_left(certificate_of(contents(own->certificate_file)).get()), 30);
    ASSERT_TRUE(own_certificates(directory.path(), {}).has_value());
    EXPECT_GT(days_left(certificate_of(contents(own->certificate_file)).get()), 800);
}

TEST(OwnCaTest, MakesAgainWhatDoesNotFitTogether)
{
    const TemporaryDirectory directory;
    const auto own = own_certificates(directory.path(), {});
    for (const char* spoilt : {"", "no certificate"}) {
        directory.write("tls.crt", spoilt);
        ASSERT_TRUE(own_certificates(directory.path(), {}).has_value());
        EXPECT_TRUE(openssl_verifies(directory, "sslserver", own->certificate_file));
    }
}

TEST(OwnCaTest, NamesTheFileItCannotUse)
{
    const TemporaryDirectory directory;
    ASSERT_TRUE(own_certificates(directory.path(), {}).has_value());
    directory.write("ca.key", "spoilt");
    // Never replaced: every client that trusts the old authority would be locked out.
    const auto spoilt = own_certificates(directory.path(), {});
    ASSERT_FALSE(spoilt.has_value());
    EXPECT_NE(spoilt.error().detail.find(directory.file("ca.key")), std::string::npos);
    const auto nowhere = own_certificates(directory.file("missing"), {});
    ASSERT_FALSE(nowhere.has_value());
    EXPECT_NE(nowhere.error().detail.find(directory.file("missing/ca.key")), std::string::npos);
}

TEST(OwnCaTest, IssuesClientCertificates)
{
    const TemporaryDirectory directory;
    ASSERT_TRUE(own_certificates(directory.path(), {}).has_value());
    const auto issued = issue_client_certificate(directory.path(), "alice", 7);
    ASSERT_TRUE(issued.has_value()) << issued.error().detail;
    const std::string file = directory.write("alice.crt", issued->certificate);
    EXPECT_TRUE(openssl_verifies(directory, "sslclient", file));
    EXPECT_FALSE(openssl_verifies(directory, "sslserver", file));
    EXPECT_NEAR(days_left(certificate_of(issued->certificate).get()), 7, 1);
    EXPECT_NE(issued->key.reveal().find("BEGIN PRIVATE KEY"), std::string_view::npos);
    for (const std::string& name : {std::string(), std::string(65, 'x'), std::string("a\nb")})
        EXPECT_FALSE(issue_client_certificate(directory.path(), name, 7).has_value());
    EXPECT_FALSE(issue_client_certificate(directory.path(), "alice", 0).has_value());
}

}  // namespace
}  // namespace sallyport::testing
