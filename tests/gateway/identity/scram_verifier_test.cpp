#include "gateway/identity/scram_verifier.h"

#include <gtest/gtest.h>

namespace sallyport::testing {
namespace {

// PostgreSQL 15's own, of the password "pencil" and this salt.
constexpr std::string_view sample =
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

TEST(ScramVerifierTest, ReadsWhatPostgresWrites)
{
    const auto verifier = parse_scram_verifier(sample);
    ASSERT_TRUE(verifier.has_value()) << verifier.error().detail;
    EXPECT_EQ(verifier->iterations, 4096);
    EXPECT_EQ(to_string(*verifier), sample);
    const Sha256 salted = pbkdf2_sha256("pencil", bytes_of(verifier->salt), 4096);
    EXPECT_EQ(verifier->stored_key, sha256(hmac_sha256(salted, bytes_of("Client Key"))));
    EXPECT_EQ(verifier->server_key, hmac_sha256(salted, bytes_of("Server Key")));
}

TEST(ScramVerifierTest, RefusesEverythingElse)
{
    for (std::size_t cut = 0; cut < sample.size(); ++cut)
        EXPECT_FALSE(parse_scram_verifier(sample.substr(0, cut)).has_value()) << cut;
    const std::string text(sample);
    const auto with = [&text](std::string_view what, std::string_view instead) {
        std::string changed = text;
        return changed.replace(changed.find(what), what.size(), instead);
    };
    for (const std::string& wrong :
         {std::string("md5aabbccdd"), text + " ", " " + text, text + "=", with("4096", "4095"),
          with("4096", "1000001"), with("4096", "+4096"), with("4096", "4096 "),
          with("4096", "99999999999"), with("4096", ""), with("SHA-256", "SHA-1"),
          with("W22ZaJ0SNY7soEsUEjb6gQ==", "W22ZaJ0S"), with("W22ZaJ0SNY7soEsUEjb6gQ==", ""),
          with("W22ZaJ0SNY7soEsUEjb6gQ==", "W22Za J0SNY7soEsUEjb6gQ="), with("wfPLw", "wfPL"),
          with("W22ZaJ0SNY7soEsUEjb6gQ==", std::string(92, 'A'))}) {
        const auto verifier = parse_scram_verifier(wrong);
        ASSERT_FALSE(verifier.has_value()) << wrong;
        EXPECT_EQ(verifier.error().detail.find("wfPLwcE6"), std::string::npos);
    }
}

TEST(ScramVerifierTest, MakesADifferentOneEachTimeForTheSamePassword)
{
    const Secret password("correct horse");
    const ScramVerifier one = make_scram_verifier(password);
    const ScramVerifier other = make_scram_verifier(password, 10'000);
    EXPECT_NE(one.salt, other.salt);
    EXPECT_EQ(one.salt.size(), 16U);
    EXPECT_EQ(other.iterations, 10'000);
    for (const ScramVerifier& verifier : {one, other}) {
        const Sha256 salted =
            pbkdf2_sha256("correct horse", bytes_of(verifier.salt), verifier.iterations);
        EXPECT_EQ(verifier.stored_key, sha256(hmac_sha256(salted, bytes_of("Client Key"))));
        EXPECT_TRUE(parse_scram_verifier(to_string(verifier)).has_value());
    }
}

TEST(ScramVerifierTest, DecoysAreStableAndUnlikeEachOther)
{
    const auto text = [](std::string_view user, std::string_view key) {
        return to_string(decoy_scram_verifier(user, bytes_of(key)));
    };
    EXPECT_EQ(text("nobody", "k"), text("nobody", "k"));
    EXPECT_NE(text("nobody", "k"), text("noone", "k"));
    EXPECT_NE(text("nobody", "k"), text("nobody", "other key"));
    EXPECT_TRUE(parse_scram_verifier(text("", "k")).has_value());
}

}  // namespace
}  // namespace sallyport::testing
