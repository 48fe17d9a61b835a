#include "gateway/digest/digest.h"

#include <gtest/gtest.h>
#include <set>

namespace sallyport::testing {
namespace {

std::string hex_sha256(std::string_view text)
{
    return to_hex(sha256(bytes_of(text)));
}

TEST(DigestTest, Sha256AsFips180HasIt)
{
    EXPECT_EQ(hex_sha256(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(hex_sha256("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(DigestTest, HmacAsRfc4231HasIt)
{
    EXPECT_EQ(to_hex(hmac_sha256(bytes_of("Jefe"), bytes_of("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(to_hex(hmac_sha256({}, {})),
              "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(DigestTest, Pbkdf2AsRfc7914HasIt)
{
    EXPECT_EQ(to_hex(pbkdf2_sha256("passwd", bytes_of("salt"), 1)),
              "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
    EXPECT_EQ(to_hex(pbkdf2_sha256("Password", bytes_of("NaCl"), 80000)),
              "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

TEST(DigestTest, AStreamInPiecesHasTheDigestOfTheWhole)
{
    const std::string text(1000, 'x');
    for (std::size_t cut = 0; cut <= text.size(); cut += 37) {
        RunningSha256 running;
        running.add(bytes_of(text).first(cut));
        RunningSha256 moved = std::move(running);
        moved.add(bytes_of(text).subspan(cut));
        EXPECT_EQ(moved.finish(), sha256(bytes_of(text)));
    }
    EXPECT_EQ(RunningSha256().finish(), sha256({}));
}

TEST(DigestTest, Crc32cAsRfc3720HasIt)
{
    EXPECT_EQ(crc32c(bytes_of("123456789")), 0xe3069283U);
    EXPECT_EQ(crc32c(bytes_of(std::string(32, '\0'))), 0x8a9136aaU);
    EXPECT_EQ(crc32c(bytes_of(std::string(32, '\xff'))), 0x62a8ab43U);
    EXPECT_EQ(crc32c({}), 0U);
}

TEST(DigestTest, Crc32cGoesOnWhereItStopped)
{
    std::string text;
    for (int i = 0; i < 100; ++i)
        text += static_cast<char>(i * 7);
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        EXPECT_EQ(crc32c(bytes_of(text).subspan(cut), crc32c(bytes_of(text).first(cut))),
                  crc32c(bytes_of(text)));
}

TEST(DigestTest, HexAndBase64AsRfc4648HasThem)
{
    const std::array<std::pair<std::string_view, std::string_view>, 7> samples = {{
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    }};
    for (const auto& [plain, encoded] : samples) {
        EXPECT_EQ(to_base64(bytes_of(plain)), encoded);
        EXPECT_EQ(from_base64(encoded), plain);
    }
    EXPECT_EQ(to_hex(bytes_of(std::string_view("\x00\x0f\xff", 3))), "000fff");
}

TEST(DigestTest, Base64IsStrict)
{
    for (const std::string_view wrong : {"Z", "Zg", "Zg=", "Zg===", "=", "====", "Z===", "Zg==Zg==",
                                         "Zm9v\n", " Zm9", "Zm-_", "Zm=v", "Zh==", "Zm9=", "=g=="})
        EXPECT_FALSE(from_base64(wrong).has_value()) << wrong;
    EXPECT_FALSE(from_base64(std::string_view("Zm\0v", 4)).has_value());
}

TEST(DigestTest, EveryByteSurvivesBase64)
{
    std::string all;
    for (int byte = 0; byte < 256; ++byte) {
        all += static_cast<char>(byte);
        EXPECT_EQ(from_base64(to_base64(bytes_of(all))), all);
    }
}

TEST(DigestTest, RandomBytesDiffer)
{
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        std::array<std::byte, 8> bytes{};
        fill_random(bytes);
        seen.insert(to_hex(bytes));
    }
    EXPECT_EQ(seen.size(), 1000U);
}

TEST(DigestTest, ComparesInConstantTimeButRightly)
{
    EXPECT_TRUE(equal_in_constant_time({}, {}));
    EXPECT_TRUE(equal_in_constant_time(bytes_of("secret"), bytes_of("secret")));
    EXPECT_FALSE(equal_in_constant_time(bytes_of("secret"), bytes_of("secreT")));
    EXPECT_FALSE(equal_in_constant_time(bytes_of("secret"), bytes_of("secre")));
}

}  // namespace
}  // namespace sallyport::testing
