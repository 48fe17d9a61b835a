#include "gateway/identity/scram_server.h"

#include <gtest/gtest.h>

#include "tests/gateway/identity/scram_client.h"

namespace sallyport::testing {
namespace {

constexpr std::string_view plain = "SCRAM-SHA-256";
constexpr std::string_view plus = "SCRAM-SHA-256-PLUS";
const std::string binding(32, '\x5a');

// RFC 7677, section 3.
constexpr std::string_view rfc_first = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view rfc_answer =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view rfc_final =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view rfc_end = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

ScramVerifier verifier_of(std::string_view password, const std::string& salt)
{
    const Sha256 salted = pbkdf2_sha256(password, bytes_of(salt), 4096);
    ScramVerifier verifier;
    verifier.iterations = 4096;
    verifier.salt = salt;
    verifier.stored_key = sha256(hmac_sha256(salted, bytes_of("Client Key")));
    verifier.server_key = hmac_sha256(salted, bytes_of("Server Key"));
    return verifier;
}

const ScramVerifier& pencil()
{
    static const ScramVerifier verifier =
        verifier_of("pencil", *from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="));
    return verifier;
}

ScramServer rfc_server()
{
    return {pencil(), Identity{"user", {"g"}, "scram-sha-256"}, std::nullopt,
            "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"};
}

ScramServer server(std::optional<std::string> channel_binding = std::nullopt)
{
    return {pencil(), Identity{"user", {"g"}, "scram-sha-256"}, std::move(channel_binding)};
}

TEST(ScramServerTest, HoldsTheConversationOfTheStandard)
{
    ScramServer scram = rfc_server();
    const auto answer = scram.first(plain, rfc_first);
    ASSERT_TRUE(answer.has_value()) << answer.error().detail;
    EXPECT_EQ(*answer, rfc_answer);
    const auto finished = scram.final(rfc_final);
    ASSERT_TRUE(finished.has_value()) << finished.error().detail;
    EXPECT_EQ(finished->server_final, rfc_end);
    EXPECT_EQ(finished->user.identity().name, "user");
    EXPECT_EQ(finished->user.identity().proof, "scram-sha-256");
}

TEST(ScramServerTest, AcceptsWhatLibpqSends)
{
    struct Case {
        std::string_view mechanism;
        std::string_view first;
        std::optional<std::string> offered;
        std::string_view bound;
    };
    const std::vector<Case> cases = {
        {plain, "n,,n=,r=abc", std::nullopt, {}},
        {plain, "y,,n=,r=abc", std::nullopt, {}},
        {plain, "n,,n=,r=abc", binding, {}},
        {plus, "p=tls-server-end-point,,n=,r=abc", binding, binding},
        {plain, "n,,n=,r=abc,x=an extension", std::nullopt, {}},
    };
    for (const Case& c : cases) {
        ScramServer scram = server(c.offered);
        const auto answer = scram.first(c.mechanism, c.first);
        ASSERT_TRUE(answer.has_value()) << c.first << ": " << answer.error().detail;
        const ScramAnswer client = answer_scram("pencil", c.first, *answer, c.bound);
        const auto finished = scram.final(client.client_final);
        ASSERT_TRUE(finished.has_value()) << c.first << ": " << finished.error().detail;
        EXPECT_EQ(finished->server_final, client.server_final);
    }
}

TEST(ScramServerTest, RefusesAWrongPassword)
{
    ScramServer scram = server();
    const auto answer = scram.first(plain, "n,,n=,r=abc");
    const auto finished = scram.final(answer_scram("Pencil", "n,,n=,r=abc", *answer).client_final);
    ASSERT_FALSE(finished.has_value());
    EXPECT_EQ(finished.error().fault, Fault::unauthentic);
}

TEST(ScramServerTest, RefusesTheRightProofOfSomebodyWhoIsNobody)
{
    ScramServer scram(pencil(), std::nullopt, std::nullopt);
    const auto answer = scram.first(plain, "n,,n=,r=abc");
    const auto finished = scram.final(answer_scram("pencil", "n,,n=,r=abc", *answer).client_final);
    ASSERT_FALSE(finished.has_value());
    EXPECT_EQ(finished.error().fault, Fault::unauthentic);
    EXPECT_EQ(finished.error().detail, "SCRAM: the proof is wrong");
}

TEST(ScramServerTest, RefusesFirstMessagesThatTheStandardDoesNotAllow)
{
    struct Case {
        std::string_view mechanism;
        std::string_view first;
        bool binding_offered;
        Fault fault;
    };
    const std::vector<Case> cases = {
        {plain, "", false, Fault::malformed},
        {plain, "n", false, Fault::malformed},
        {plain, "n,", false, Fault::malformed},
        {plain, "n,,", false, Fault::malformed},
        {plain, "x,,n=,r=abc", false, Fault::malformed},
        {plain, "nn,,n=,r=abc", false, Fault::malformed},
        {plain, "n,a=admin,n=,r=abc", false, Fault::malformed},
        {plain, "n,x,n=,r=abc", false, Fault::malformed},
        {plain, "n,,m=x,n=,r=abc", false, Fault::malformed},
        {plain, "n,,r=abc", false, Fault::malformed},
        {plain, "n,,n=", false, Fault::malformed},
        {plain, "n,,n=,r=", false, Fault::malformed},
        {plain, "n,,n=,r=a\x7f", false, Fault::malformed},
        {plain, "n,,n=,r=a b", false, Fault::malformed},
        {plain, "n,,n=,r=\xc3\xa9", false, Fault::malformed},
        {plain, "n,,n=,x=1,r=abc", false, Fault::malformed},
        {plain, "n,,n=,r=abc,", false, Fault::malformed},
        {plain, "n,,n=,r=abc,1=x", false, Fault::malformed},
        {plain, "n,,n=,r=abc,xy", false, Fault::malformed},
        {plain, std::string_view("n,,n=,r=abc\0", 12), false, Fault::malformed},
        {plain, "p=tls-server-end-point,,n=,r=abc", true, Fault::malformed},
        {plus, "n,,n=,r=abc", true, Fault::malformed},
        {plus, "y,,n=,r=abc", true, Fault::malformed},
        {plus, "p=tls-unique,,n=,r=abc", true, Fault::malformed},
        {plus, "p=,,n=,r=abc", true, Fault::malformed},
        {plus, "p=tls-server-end-point,,n=,r=abc", false, Fault::malformed},
        {"SCRAM-SHA-1", "n,,n=,r=abc", false, Fault::malformed},
        {"", "n,,n=,r=abc", false, Fault::malformed},
        {plain, "y,,n=,r=abc", true, Fault::unauthentic},
    };
    for (const Case& c : cases) {
        ScramServer scram =
            server(c.binding_offered ? std::optional<std::string>(binding) : std::nullopt);
        const auto answer = scram.first(c.mechanism, c.first);
        ASSERT_FALSE(answer.has_value()) << c.first;
        EXPECT_EQ(answer.error().fault, c.fault) << c.first;
        EXPECT_FALSE(scram.final(rfc_final).has_value());
    }
    ScramServer scram = server();
    EXPECT_FALSE(scram.first(plain, "n,,n=,r=" + std::string(1024, 'a')).has_value());
}

TEST(ScramServerTest, RefusesFinalMessagesThatTheStandardDoesNotAllow)
{
    const std::string nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    const std::string proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    const std::vector<std::string> wrong = {
        "",
        "c=biws",
        "c=biws,r=" + nonce,
        "c=biws,r=" + nonce + ",p=",
        "c=biws,r=" + nonce + ",p=" + proof + ",",
        "c=biws,r=" + nonce + ",p=" + proof + ",x=1",
        "c=biws,r=" + nonce + ",p=" + proof.substr(0, 40),
        "c=biws,r=" + nonce + ",p=" + proof + proof,
        "c=biws,r=" + nonce + "x,p=" + proof,
        "c=biws,r=" + nonce.substr(1) + ",p=" + proof,
        "c=eSws,r=" + nonce + ",p=" + proof,
        "c=,r=" + nonce + ",p=" + proof,
        "r=" + nonce + ",c=biws,p=" + proof,
        "p=" + proof + ",c=biws,r=" + nonce,
        "c=biws,r=" + nonce + ",x=1,p=" + proof,
        std::string("c=biws,r=") + nonce + ",p=" + proof + std::string(1, '\0'),
    };
    for (const std::string& message : wrong) {
        ScramServer scram = rfc_server();
        ASSERT_TRUE(scram.first(plain, rfc_first).has_value());
        EXPECT_FALSE(scram.final(message).has_value()) << message;
        // And there is no second try.
        EXPECT_FALSE(scram.final(rfc_final).has_value()) << message;
    }
}

TEST(ScramServerTest, RefusesEveryMessageThatIsCutOrHasABitFlipped)
{
    for (std::size_t cut = 0; cut < rfc_final.size(); ++cut) {
        ScramServer scram = rfc_server();
        ASSERT_TRUE(scram.first(plain, rfc_first).has_value());
        EXPECT_FALSE(scram.final(rfc_final.substr(0, cut)).has_value()) << cut;
    }
    for (std::size_t bit = 0; bit < rfc_final.size() * 8; ++bit) {
        std::string flipped(rfc_final);
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        ScramServer scram = rfc_server();
        ASSERT_TRUE(scram.first(plain, rfc_first).has_value());
        EXPECT_FALSE(scram.final(flipped).has_value()) << bit;
    }
    // A changed first message either is refused at once or makes the proof a wrong one.
    for (std::size_t bit = 0; bit < rfc_first.size() * 8; ++bit) {
        std::string flipped(rfc_first);
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
        ScramServer scram = rfc_server();
        if (scram.first(plain, flipped).has_value())
            EXPECT_FALSE(scram.final(rfc_final).has_value()) << bit;
    }
}

TEST(ScramServerTest, RefusesTheBindingOfAnotherConnection)
{
    ScramServer scram = server(binding);
    const std::string first = "p=tls-server-end-point,,n=,r=abc";
    const auto answer = scram.first(plus, first);
    ASSERT_TRUE(answer.has_value());
    const auto finished =
        scram.final(answer_scram("pencil", first, *answer, std::string(32, 'x')).client_final);
    ASSERT_FALSE(finished.has_value());
    EXPECT_EQ(finished.error().fault, Fault::unauthentic);
}

TEST(ScramServerTest, TakesMessagesInTheirOrderOnly)
{
    ScramServer too_early = rfc_server();
    EXPECT_FALSE(too_early.final(rfc_final).has_value());
    EXPECT_FALSE(too_early.first(plain, rfc_first).has_value());
    ScramServer twice = rfc_server();
    ASSERT_TRUE(twice.first(plain, rfc_first).has_value());
    EXPECT_FALSE(twice.first(plain, rfc_first).has_value());
    EXPECT_FALSE(twice.final(rfc_final).has_value());
}

TEST(ScramServerTest, HasANonceOfItsOwnForEveryExchange)
{
    ScramServer one = server();
    ScramServer other = server();
    const std::string left = *one.first(plain, "n,,n=,r=abc");
    const std::string right = *other.first(plain, "n,,n=,r=abc");
    EXPECT_NE(left, right);
    EXPECT_EQ(left.size(), right.size());
    EXPECT_EQ(attribute_of(left, 'r').size(), 3U + 24U);
}

}  // namespace
}  // namespace sallyport::testing
