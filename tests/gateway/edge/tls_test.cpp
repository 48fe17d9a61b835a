#include "gateway/edge/tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/wait.h>

#include "gateway/edge/system_authorities.h"
#include "tests/gateway/edge/loopback.h"

namespace sallyport::testing {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

// Certificates of the gateway's own CA, and of another one that it does not know.
struct TlsTest : ::testing::Test {
    static void SetUpTestSuite()
    {
        ours = std::make_unique<TemporaryDirectory>();
        theirs = std::make_unique<TemporaryDirectory>();
        ASSERT_TRUE(own_certificates(ours->path(), {}).has_value());
        ASSERT_TRUE(own_certificates(theirs->path(), {}).has_value());
        for (const auto* directory : {ours.get(), theirs.get()}) {
            const auto alice = issue_client_certificate(directory->path(), "alice", 1);
            ASSERT_TRUE(alice.has_value());
            directory->write("alice.crt", alice->certificate);
            directory->write("alice.key", alice->key.reveal());
        }
    }
    static void TearDownTestSuite()
    {
        ours.reset();
        theirs.reset();
    }

    static ServerTls server(const std::string& alpn = {})
    {
        auto tls = ServerTls::load(ours->file("tls.crt"), ours->file("tls.key"),
                                   ours->file("ca.crt"), alpn);
        EXPECT_TRUE(tls.has_value());
        return *tls;
    }

    static ClientTls::Wish wish()
    {
        ClientTls::Wish wanted;
        wanted.host = "localhost";
        wanted.ca_file = ours->file("ca.crt");
        return wanted;
    }

    static ClientTls client(const ClientTls::Wish& wanted = wish())
    {
        auto tls = ClientTls::load(wanted);
        EXPECT_TRUE(tls.has_value());
        return *tls;
    }

    inline static std::unique_ptr<TemporaryDirectory> ours;
    inline static std::unique_ptr<TemporaryDirectory> theirs;
};

struct Handshake {
    bool done = false;
    Fault fault = Fault::closed;
    std::string detail;
};

awaitable<Handshake> accepted(Stream& stream, const ServerTls& tls, std::size_t read_before)
{
    std::string before;
    if (read_before > 0)
        before = co_await read_exactly(stream, read_before);
    auto done = co_await stream.accept_tls(tls, bytes_of(before));
    if (done)
        co_return Handshake{true, Fault::closed, {}};
    co_return Handshake{false, done.error().fault, done.error().detail};
}

awaitable<Handshake> connected_with(Stream& stream, const ClientTls& tls)
{
    auto done = co_await stream.connect_tls(tls);
    if (done)
        co_return Handshake{true, Fault::closed, {}};
    co_return Handshake{false, done.error().fault, done.error().detail};
}

struct Both {
    Handshake near;
    Handshake far;
};

Both shake(Loop& loop, Ends& ends, const ServerTls& server, const ClientTls& client,
           std::size_t read_before = 0)
{
    auto near = loop.start(accepted(ends.near, server, read_before));
    auto far = loop.start(connected_with(ends.far, client));
    Both both;
    both.far = loop.finish(far);
    if (!both.far.done)
        ends.far.close();
    both.near = loop.finish(near);
    return both;
}

awaitable<Result<std::size_t>> read_one(Stream& stream)
{
    std::array<std::byte, 16> into{};
    co_return co_await stream.read_some(into);
}

TEST_F(TlsTest, CarriesBytesBothWays)
{
    Loop loop;
    Ends ends = connected(loop.io());
    EXPECT_FALSE(ends.near.encrypted());
    const Both both = shake(loop, ends, server(), client());
    ASSERT_TRUE(both.near.done) << both.near.detail;
    ASSERT_TRUE(both.far.done) << both.far.detail;
    EXPECT_TRUE(ends.near.encrypted());
    EXPECT_TRUE(ends.near.peer().encrypted);
    EXPECT_TRUE(loop.run(write_text(ends.far, "question")));
    EXPECT_EQ(loop.run(read_exactly(ends.near, 8)), "question");
    EXPECT_TRUE(loop.run(write_text(ends.near, "answer")));
    EXPECT_EQ(loop.run(read_exactly(ends.far, 6)), "answer");
    EXPECT_FALSE(ends.near.client_common_name().has_value());
    EXPECT_EQ(ends.near.alpn(), "");
}

TEST_F(TlsTest, TakesBytesThatTheCallerHasReadAlready)
{
    for (const std::size_t count : {1U, 5U, 6U, 100U}) {
        Loop loop;
        Ends ends = connected(loop.io());
        const Both both = shake(loop, ends, server(), client(), count);
        EXPECT_TRUE(both.near.done) << both.near.detail;
        EXPECT_TRUE(loop.run(write_text(ends.far, "question")));
        EXPECT_EQ(loop.run(read_exactly(ends.near, 8)), "question");
    }
}

TEST_F(TlsTest, CarriesLargeTrafficInBothDirectionsAtOnce)
{
    Loop loop;
    Ends ends = connected(loop.io());
    ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
    const std::string up = patterned(std::size_t{3} << 20);
    const std::string down = patterned((std::size_t{2} << 20) + 4711);
    auto writing_up = loop.start(write_text(ends.far, up));
    auto writing_down = loop.start(write_text(ends.near, down));
    auto reading_up = loop.start(read_exactly(ends.near, up.size()));
    auto reading_down = loop.start(read_exactly(ends.far, down.size()));
    EXPECT_TRUE(loop.finish(reading_up) == up);
    EXPECT_TRUE(loop.finish(reading_down) == down);
    EXPECT_TRUE(loop.finish(writing_up));
    EXPECT_TRUE(loop.finish(writing_down));
}

awaitable<bool> write_pieces(Stream& stream, const std::vector<asio::const_buffer>& pieces)
{
    auto written = co_await stream.write(pieces);
    co_return written.has_value();
}

TEST_F(TlsTest, WritesEveryPieceInOrder)
{
    Loop loop;
    Ends ends = connected(loop.io());
    ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
    const std::string text = patterned(1'000'000);
    std::vector<asio::const_buffer> pieces;
    std::size_t at = 0;
    const std::array<std::size_t, 9> sizes = {0, 1, 5, 16'383, 16'384, 0, 16'385, 70'000, 33};
    for (std::size_t i = 0; at < text.size(); ++i) {
        const std::size_t count = std::min(sizes.at(i % sizes.size()), text.size() - at);
        pieces.emplace_back(text.data() + at, count);
        at += count;
    }
    auto writing = loop.start(write_pieces(ends.near, pieces));
    EXPECT_TRUE(loop.run(read_exactly(ends.far, text.size())) == text);
    EXPECT_TRUE(loop.finish(writing));
}

awaitable<bool> write_rest(Stream& stream, std::vector<asio::const_buffer> pieces, std::size_t done)
{
    auto written = co_await stream.write(pieces, done);
    co_return written.has_value();
}

TEST_F(TlsTest, WriteGoesOnWhereWriteNowStopped)
{
    Loop loop;
    Ends ends = connected(loop.io());
    ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
    const std::string text = patterned(300'000);
    const std::vector<asio::const_buffer> pieces{asio::buffer(text, 1000),
                                                 asio::buffer(text) + 1000};
    std::string expected;
    std::size_t done = 0;
    bool all_sent = true;
    for (int i = 0; i < 1000 && all_sent; ++i) {
        done = 0;
        const auto sent = ends.far.write_now(pieces, done);
        ASSERT_TRUE(sent.has_value());
        all_sent = *sent;
        expected += text;
    }
    ASSERT_FALSE(all_sent);
    auto writing = loop.start(write_rest(ends.far, pieces, done));
    EXPECT_TRUE(loop.run(read_exactly(ends.near, expected.size())) == expected);
    EXPECT_TRUE(loop.finish(writing));
    const std::string more = "and on";
    const asio::const_buffer last = asio::buffer(more);
    done = 0;
    EXPECT_TRUE(*ends.far.write_now({&last, 1}, done));
    EXPECT_EQ(loop.run(read_exactly(ends.near, 6)), "and on");
}

awaitable<std::string> read_in_turns(Stream& stream, std::size_t size)
{
    std::string text;
    std::vector<std::byte> into(1000);
    (void)co_await stream.while_readable([&] {
        const auto count = stream.read_now(into);
        if (count && *count)
            text += text_of(Bytes(into).first(**count));
        return count && (!*count || **count > 0) && text.size() < size;
    });
    co_return text;
}

TEST_F(TlsTest, ReadsInTurns)
{
    // Less than a read, more than one of them in a record that comes at once, and many records.
    for (const std::size_t size : {3UL, 3'000UL, 5'000UL, 300'000UL}) {
        Loop loop;
        Ends ends = connected(loop.io());
        ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
        auto reading = loop.start(read_in_turns(ends.near, size));
        loop.io().poll();
        EXPECT_FALSE(reading->has_value());
        const std::string text = patterned(size);
        auto writing = loop.start(write_text(ends.far, text));
        EXPECT_TRUE(loop.finish(reading) == text) << size;
        EXPECT_TRUE(loop.finish(writing));
    }
}

awaitable<std::string> read_in_turns_to_the_end(Stream& stream)
{
    std::string text;
    std::vector<std::byte> into(1000);
    (void)co_await stream.while_readable([&] {
        const auto count = stream.read_now(into);
        if (!count || !*count)
            return count.has_value();
        text +=
            **count == 0 ? std::string(" end") : std::string(text_of(Bytes(into).first(**count)));
        return **count > 0;
    });
    co_return text;
}

// The goodbye comes in one piece with the last bytes, which fill a read to the brim or do not.
TEST_F(TlsTest, TurnsHearOfAnEndRightBehindTheBytes)
{
    for (const std::size_t size : {10UL, 1'000UL, 2'500UL}) {
        Loop loop;
        Ends ends = connected(loop.io());
        ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
        const std::string text = patterned(size);
        EXPECT_TRUE(loop.run(write_text(ends.far, text)));
        ends.far.close();
        EXPECT_EQ(loop.run(read_in_turns_to_the_end(ends.near)), text + " end") << size;
    }
}

// As a client does that does not wait for the handshake's last answer.
TEST_F(TlsTest, TurnsReadWhatCameWithTheHandshake)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const ServerTls server_side = server();
    const ClientTls client_side = client();
    auto near = loop.start(accepted(ends.near, server_side, 0));
    ASSERT_TRUE(loop.run(connected_with(ends.far, client_side)).done);
    EXPECT_TRUE(loop.run(write_text(ends.far, "early")));
    ASSERT_TRUE(loop.finish(near).done);
    EXPECT_EQ(loop.run(read_in_turns(ends.near, 5)), "early");
}

TEST_F(TlsTest, GivesZeroWhenThePeerHasFinishedOrJustLeft)
{
    for (const bool orderly : {true, false}) {
        Loop loop;
        auto [near, far] = connected_sockets(loop.io());
        const int far_descriptor = ::dup(far.native_handle());
        Ends ends{Stream(std::move(near)), Stream(std::move(far))};
        ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
        if (orderly)
            ends.far.close();
        else
            ::shutdown(far_descriptor, SHUT_WR);
        const auto count = loop.run(read_one(ends.near));
        ASSERT_TRUE(count.has_value());
        EXPECT_EQ(*count, 0U);
        ::close(far_descriptor);
    }
}

TEST_F(TlsTest, ClosingEndsAWaitingRead)
{
    Loop loop;
    Ends ends = connected(loop.io());
    ASSERT_TRUE(shake(loop, ends, server(), client()).near.done);
    auto waiting = loop.start(read_one(ends.near));
    loop.io().poll();
    ends.near.close();
    EXPECT_FALSE(loop.finish(waiting).has_value());
    EXPECT_EQ(*loop.run(read_one(ends.far)), 0U);
}

TEST_F(TlsTest, KnowsTheUserOfAClientCertificate)
{
    auto wanted = wish();
    wanted.certificate_file = ours->file("alice.crt");
    wanted.key_file = ours->file("alice.key");
    Loop loop;
    Ends ends = connected(loop.io());
    const Both both = shake(loop, ends, server(), client(wanted));
    ASSERT_TRUE(both.near.done) << both.near.detail;
    EXPECT_EQ(ends.near.client_common_name(), "alice");
    EXPECT_FALSE(ends.far.client_common_name().has_value());
}

TEST_F(TlsTest, RefusesAClientCertificateOfAnotherAuthority)
{
    auto wanted = wish();
    wanted.certificate_file = theirs->file("alice.crt");
    wanted.key_file = theirs->file("alice.key");
    Loop loop;
    Ends ends = connected(loop.io());
    const Both both = shake(loop, ends, server(), client(wanted));
    EXPECT_FALSE(both.near.done);
    EXPECT_EQ(both.near.fault, Fault::unauthentic);
    EXPECT_NE(both.near.detail.find("certificate"), std::string::npos) << both.near.detail;
    // TLS 1.3 tells the client afterwards.
    EXPECT_FALSE(loop.run(read_one(ends.far)).has_value());
}

TEST_F(TlsTest, RefusesAServerCertificateAsAClients)
{
    auto wanted = wish();
    wanted.certificate_file = ours->file("tls.crt");
    wanted.key_file = ours->file("tls.key");
    Loop loop;
    Ends ends = connected(loop.io());
    const Both both = shake(loop, ends, server(), client(wanted));
    EXPECT_FALSE(both.near.done);
    EXPECT_EQ(both.near.fault, Fault::unauthentic);
}

TEST_F(TlsTest, VerifiesNamesAndAddresses)
{
    struct Case {
        const char* host;
        bool verify_chain;
        bool verify_host;
        bool own_ca;
        bool works;
    };
    const std::vector<Case> cases = {
        {"localhost", true, true, true, true},
        {"127.0.0.1", true, true, true, true},
        {"::1", true, true, true, true},
        {"db.example.com", true, true, true, false},
        {"127.0.0.2", true, true, true, false},
        {"db.example.com", true, false, true, true},
        {"localhost", true, true, false, false},
        {"localhost", true, false, false, false},
        {"db.example.com", false, false, false, true},
    };
    for (const Case& c : cases) {
        ClientTls::Wish wanted;
        wanted.host = c.host;
        wanted.verify_chain = c.verify_chain;
        wanted.verify_host = c.verify_host;
        wanted.ca_file = (c.own_ca ? ours : theirs)->file("ca.crt");
        Loop loop;
        Ends ends = connected(loop.io());
        const Both both = shake(loop, ends, server(), client(wanted));
        EXPECT_EQ(both.far.done, c.works) << c.host << ": " << both.far.detail;
        if (!c.works) {
            EXPECT_EQ(both.far.fault, Fault::unavailable);
            EXPECT_NE(both.far.detail.find("certificate verify failed: "), std::string::npos)
                << both.far.detail;
            EXPECT_NE(both.far.detail.find("127.0.0.1:"), std::string::npos);
            EXPECT_FALSE(both.near.done);
            EXPECT_NE(both.near.detail.find("alert"), std::string::npos) << both.near.detail;
        }
    }
}

// Where OpenSSL looks for the system's authorities, for as long as it lives.
class SystemFile final {
public:
    SystemFile() { ::setenv("SSL_CERT_FILE", directory_.file("bundle.crt").c_str(), 1); }
    SystemFile(const SystemFile&) = delete;
    SystemFile& operator=(const SystemFile&) = delete;
    ~SystemFile() { ::unsetenv("SSL_CERT_FILE"); }

    void hold(const std::string& certificates)
    {
        const std::string file = directory_.write("bundle.crt", certificates);
        // The clock of files is coarse: two writes may have the same time.
        std::filesystem::last_write_time(file, changed_ += std::chrono::seconds(1));
    }

private:
    TemporaryDirectory directory_;
    std::filesystem::file_time_type changed_ = std::filesystem::file_time_type::clock::now();
};

TEST_F(TlsTest, TrustsTheSystemsAuthoritiesAsTheyAreNow)
{
    SystemFile system;
    system.hold(contents(theirs->file("ca.crt")));
    ClientTls::Wish wanted = wish();
    wanted.ca_file.clear();
    const auto verified = [&] {
        Loop loop;
        Ends ends = connected(loop.io());
        return shake(loop, ends, server(), client(wanted)).far.done;
    };
    EXPECT_FALSE(verified());
    // An authority comes, stays for all that connect from now on, and goes.
    system.hold(contents(theirs->file("ca.crt")) + contents(ours->file("ca.crt")));
    EXPECT_TRUE(verified());
    EXPECT_TRUE(verified());
    system.hold(contents(theirs->file("ca.crt")));
    EXPECT_FALSE(verified());
}

TEST_F(TlsTest, ReadsTheSystemsAuthoritiesOnce)
{
    SystemFile system;
    system.hold(contents(ours->file("ca.crt")));
    const auto first = system_authorities();
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(system_authorities(), first);
    system.hold(contents(theirs->file("ca.crt")));
    EXPECT_NE(system_authorities(), first);
}

TEST_F(TlsTest, AgreesOnAProtocolOrEnds)
{
    struct Case {
        const char* offered;
        const char* ours;
        bool works;
        const char* chosen;
    };
    const std::vector<Case> cases = {{"postgresql", "postgresql", true, "postgresql"},
                                     {"", "postgresql", true, ""},
                                     {"http/1.1", "postgresql", false, ""},
                                     {"postgresql", "", true, ""}};
    for (const Case& c : cases) {
        auto wanted = wish();
        wanted.alpn = c.offered;
        Loop loop;
        Ends ends = connected(loop.io());
        const Both both = shake(loop, ends, server(c.ours), client(wanted));
        EXPECT_EQ(both.near.done, c.works) << both.near.detail;
        EXPECT_EQ(both.far.done, c.works) << both.far.detail;
        if (c.works) {
            EXPECT_EQ(ends.near.alpn(), c.chosen);
            EXPECT_EQ(ends.far.alpn(), c.chosen);
        }
    }
}

TEST_F(TlsTest, EndsOnWhatIsNoHandshake)
{
    for (const std::string_view garbage :
         {std::string_view("GET / HTTP/1.1\r\n\r\n"),
          std::string_view("\0\0\0\x08\x04\xd2\x16\x2f", 8),
          std::string_view("\x16\x03\x01\xff\xff\x01\xff\xff\xff", 9),
          std::string_view("Q\0\0\0\rSELECT 1\0", 14)}) {
        Loop loop;
        Ends ends = connected(loop.io());
        const ServerTls tls = server();
        auto near = loop.start(accepted(ends.near, tls, 0));
        EXPECT_TRUE(loop.run(write_text(ends.far, garbage)));
        const Handshake outcome = loop.finish(near);
        EXPECT_FALSE(outcome.done);
        EXPECT_EQ(outcome.fault, Fault::malformed);
        EXPECT_NE(outcome.detail.find("TLS handshake with 127.0.0.1:"), std::string::npos);
    }
}

// What a client sends first.
std::string client_hello()
{
    SSL_CTX* context = SSL_CTX_new(TLS_client_method());
    SSL* ssl = SSL_new(context);
    BIO* in = BIO_new(BIO_s_mem());
    BIO* out = BIO_new(BIO_s_mem());
    SSL_set_bio(ssl, in, out);
    SSL_connect(ssl);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string hello(data, static_cast<std::size_t>(size));
    SSL_free(ssl);
    SSL_CTX_free(context);
    return hello;
}

TEST_F(TlsTest, EndsWhereverTheClientLeavesItsFirstMessage)
{
    const std::string hello = client_hello();
    const ServerTls tls = server();
    ASSERT_GT(hello.size(), 100U);
    for (std::size_t cut = 0; cut <= hello.size(); ++cut) {
        Loop loop;
        Ends ends = connected(loop.io());
        auto near = loop.start(accepted(ends.near, tls, 0));
        EXPECT_TRUE(loop.run(write_text(ends.far, std::string_view(hello).substr(0, cut))));
        ends.far.close();
        const Handshake outcome = loop.finish(near);
        EXPECT_FALSE(outcome.done);
        EXPECT_EQ(outcome.fault, Fault::closed) << cut << ": " << outcome.detail;
    }
}

TEST_F(TlsTest, TakesTheFirstMessageByteByByte)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const std::string hello = client_hello();
    const ServerTls tls = server();
    auto near = loop.start(accepted(ends.near, tls, 0));
    for (const char& byte : hello) {
        ASSERT_TRUE(loop.run(write_text(ends.far, {&byte, 1})));
        loop.io().poll();
    }
    const std::string answer = loop.run(read_exactly(ends.far, 5));
    EXPECT_EQ(answer.substr(0, 3), "\x16\x03\x03");
    ends.far.close();
    EXPECT_FALSE(loop.finish(near).done);
}

TEST_F(TlsTest, EndsWhereATargetDoesNotSpeakTls)
{
    Loop loop;
    Ends ends = connected(loop.io());
    const ClientTls tls = client();
    auto far = loop.start(connected_with(ends.far, tls));
    EXPECT_TRUE(loop.run(write_text(ends.near, "N no TLS here")));
    const Handshake outcome = loop.finish(far);
    EXPECT_FALSE(outcome.done);
    EXPECT_EQ(outcome.fault, Fault::unavailable);
}

// A self-signed certificate, signed with this hash; gives its tls-server-end-point by OpenSSL's own
// fingerprint.
std::string self_signed(const TemporaryDirectory& directory, const std::string& key,
                        const char* options, const EVP_MD* binding)
{
    const std::string command = "cd " + directory.path() + " && openssl genpkey " + key +
                                " -out x.key 2>/dev/null && openssl req -x509 -key x.key -days 1 "
                                "-subj /CN=localhost -out x.crt " +
                                options + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    std::FILE* file = std::fopen(directory.file("x.crt").c_str(), "r");
    X509* certificate = PEM_read_X509(file, nullptr, nullptr, nullptr);
    (void)std::fclose(file);  // it was only read
    std::string digest(EVP_MAX_MD_SIZE, '\0');
    unsigned size = 0;
    if (binding != nullptr)
        X509_digest(certificate, binding, reinterpret_cast<unsigned char*>(digest.data()), &size);
    X509_free(certificate);
    digest.resize(size);
    return digest;
}

TEST_F(TlsTest, BindsTheChannelToTheServersCertificate)
{
    struct Case {
        const char* key;
        const char* options;
        const EVP_MD* binding;
    };
    constexpr const char* rsa = "-algorithm RSA -pkeyopt rsa_keygen_bits:2048";
    constexpr const char* ec = "-algorithm EC -pkeyopt ec_paramgen_curve:P-256";
    const std::vector<Case> cases = {
        {ec, "-sha256", EVP_sha256()},
        {ec, "-sha384", EVP_sha384()},
        {ec, "-sha512", EVP_sha512()},
        {rsa, "-sha1", EVP_sha256()},
        {rsa, "-sha384 -sigopt rsa_padding_mode:pss", EVP_sha384()},
        {"-algorithm ED25519", "", nullptr},
    };
    for (const Case& c : cases) {
        const TemporaryDirectory directory;
        const std::string expected = self_signed(directory, c.key, c.options, c.binding);
        auto tls = ServerTls::load(directory.file("x.crt"), directory.file("x.key"), {}, {});
        if (!tls) {
            // The library may refuse SHA-1 altogether, at its security level.
            EXPECT_NE(tls.error().detail.find("md too weak"), std::string::npos);
            continue;
        }
        ClientTls::Wish wanted;
        wanted.host = "localhost";
        wanted.verify_chain = false;
        wanted.verify_host = false;
        Loop loop;
        Ends ends = connected(loop.io());
        const Both both = shake(loop, ends, *tls, client(wanted));
        ASSERT_TRUE(both.far.done) << c.options << ": " << both.far.detail;
        ASSERT_EQ(ends.near.channel_binding().has_value(), c.binding != nullptr) << c.options;
        EXPECT_EQ(ends.near.channel_binding(), ends.far.channel_binding()) << c.options;
        if (c.binding != nullptr)
            EXPECT_EQ(*ends.near.channel_binding(), expected) << c.options;
    }
}

TEST_F(TlsTest, NamesTheFileThatIsWrong)
{
    const std::string missing = ours->file("missing.pem");
    const auto no_certificate = ServerTls::load(missing, ours->file("tls.key"), {}, {});
    ASSERT_FALSE(no_certificate.has_value());
    EXPECT_NE(no_certificate.error().detail.find(missing), std::string::npos);
    EXPECT_NE(no_certificate.error().detail.find("No such file"), std::string::npos)
        << no_certificate.error().detail;
    const auto other_key = ServerTls::load(ours->file("tls.crt"), theirs->file("tls.key"), {}, {});
    ASSERT_FALSE(other_key.has_value());
    EXPECT_NE(other_key.error().detail.find(theirs->file("tls.key")), std::string::npos);
    EXPECT_FALSE(ServerTls::load(ours->file("tls.crt"), ours->file("tls.key"), missing, {}));
    auto wanted = wish();
    wanted.ca_file = missing;
    const auto no_ca = ClientTls::load(wanted);
    ASSERT_FALSE(no_ca.has_value());
    EXPECT_NE(no_ca.error().detail.find(missing), std::string::npos);
}

// OpenSSL's own client, as another program sees us.
awaitable<std::string> serve_echo(Stream& stream, const ServerTls& tls)
{
    auto done = co_await stream.accept_tls(tls, {});
    if (!done)
        co_return "";
    const std::string text = co_await read_exactly(stream, 6);
    auto written = co_await stream.write(bytes_of("echo:" + text));
    stream.close();
    co_return written ? text : std::string();
}

TEST_F(TlsTest, SpeaksWithOpenSslsClientInBothVersions)
{
    for (const char* version : {"-tls1_2", "-tls1_3"}) {
        Loop loop;
        asio::ip::tcp::acceptor acceptor(
            loop.io(), asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
        const std::string command =
            std::string("printf hello! | timeout 20 openssl s_client ") + version +
            " -quiet -verify_return_error -CAfile " + ours->file("ca.crt") +
            " -verify_hostname localhost -connect " +
            "127.0.0.1:" + std::to_string(acceptor.local_endpoint().port()) +
            " -ign_eof 2>/dev/null";
        std::FILE* program = ::popen(command.c_str(), "r");
        ASSERT_NE(program, nullptr);
        Stream stream(acceptor.accept());
        const ServerTls tls = server();
        EXPECT_EQ(loop.run(serve_echo(stream, tls)), "hello!") << version;
        std::array<char, 64> output{};
        const std::size_t count = std::fread(output.data(), 1, output.size(), program);
        EXPECT_EQ(std::string(output.data(), count), "echo:hello!") << version;
        ::pclose(program);
    }
}

TEST_F(TlsTest, RefusesOldVersions)
{
    Loop loop;
    asio::ip::tcp::acceptor acceptor(loop.io(),
                                     asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::string command =
        "timeout 20 openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -connect 127.0.0.1:" +
        std::to_string(acceptor.local_endpoint().port()) + " </dev/null >/dev/null 2>&1";
    std::FILE* program = ::popen(command.c_str(), "r");
    ASSERT_NE(program, nullptr);
    Stream stream(acceptor.accept());
    const ServerTls tls = server();
    const Handshake outcome = loop.run(accepted(stream, tls, 0));
    EXPECT_FALSE(outcome.done);
    EXPECT_NE(outcome.detail.find("unsupported protocol"), std::string::npos) << outcome.detail;
    EXPECT_NE(::pclose(program), 0);
}

}  // namespace
}  // namespace sallyport::testing
