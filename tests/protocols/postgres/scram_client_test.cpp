#include "protocols/postgres/scram_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sallyport::postgres {
namespace {

using testing::HasSubstr;

// The exchange of RFC 7677 with PostgreSQL's empty user name; the expected values are from an
// implementation of their own (Python's hashlib and hmac).
const std::string our_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string nonce = our_nonce + "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string server_first = "r=" + nonce + ",s=AAECAwQFBgcICQoLDA0ODw==,i=4096";

const Secret& pencil()
{
    static const Secret password("pencil");
    return password;
}

ScramClient plain()
{
    return {pencil(), std::nullopt, false, our_nonce};
}

TEST(ScramClientTest, ProvesAPasswordOnAPlainConnection)
{
    ScramClient client = plain();
    EXPECT_EQ(client.mechanism(), "SCRAM-SHA-256");
    EXPECT_EQ(client.first(), "n,,n=,r=" + our_nonce);
    const auto final = client.final(server_first);
    ASSERT_TRUE(final) << final.error().detail;
    EXPECT_EQ(*final, "c=biws,r=" + nonce + ",p=+9Tr4gCVT8/iXtNikwwsZLDTS71hMx3Gd4amvi6miXA=");
    EXPECT_TRUE(client.verify("v=gKfLalpOYQPHgl9ks0uwXpkiGQARXmrePumuOrBQRUA="));
}

TEST(ScramClientTest, BindsTheChannelWhereTheServerOffersIt)
{
    ScramClient client(pencil(), "binding-data", true, our_nonce);
    EXPECT_EQ(client.mechanism(), "SCRAM-SHA-256-PLUS");
    EXPECT_EQ(client.first(), "p=tls-server-end-point,,n=,r=" + our_nonce);
    EXPECT_EQ(*client.final(server_first),
              "c=cD10bHMtc2VydmVyLWVuZC1wb2ludCwsYmluZGluZy1kYXRh,r=" + nonce +
                  ",p=EpETk2fmm1FqibyevUxUZVgCfS07c7+ZbuKasdkZoMA=");
    EXPECT_TRUE(client.verify("v=m5BNi8n206y6oUvwvYidonSlt2EkbazrnHuGkDY5g5I="));
}

TEST(ScramClientTest, SaysThatItCouldBindWhereTheServerDoesNotOffer)
{
    ScramClient client(pencil(), "binding-data", false, our_nonce);
    EXPECT_EQ(client.mechanism(), "SCRAM-SHA-256");
    EXPECT_EQ(client.first(), "y,,n=,r=" + our_nonce);
    EXPECT_EQ(*client.final(server_first),
              "c=eSws,r=" + nonce + ",p=6Cwrqena36DwU+Xc91HMOGNZ5BweGVMPlkZOYuu3A/o=");
    EXPECT_TRUE(client.verify("v=xmA/SoqJkcKIauTUzrUAeCWMtRgRollp4wfi2qOGze4="));
}

TEST(ScramClientTest, APlainConnectionNeverBinds)
{
    ScramClient client(pencil(), std::nullopt, true, our_nonce);
    EXPECT_EQ(client.mechanism(), "SCRAM-SHA-256");
    EXPECT_TRUE(client.first().starts_with("n,,"));
}

TEST(ScramClientTest, AServerThatDoesNotKnowThePasswordIsFoundOut)
{
    const std::string right = "v=gKfLalpOYQPHgl9ks0uwXpkiGQARXmrePumuOrBQRUA=";
    for (std::size_t at = 2; at < 44; ++at) {
        ScramClient client = plain();
        (void)client.first();  // the nonce is what the test gave
        ASSERT_TRUE(client.final(server_first));
        std::string wrong = right;
        wrong[at] = wrong[at] == 'B' ? 'C' : 'B';
        const auto verified = client.verify(wrong);
        ASSERT_FALSE(verified) << at;
        EXPECT_EQ(verified.error().fault, Fault::unauthentic);
    }
}

TEST(ScramClientTest, AFinalMessageBeforeTheFirstProvesNothing)
{
    ScramClient client = plain();
    (void)client.first();  // only the order matters
    EXPECT_FALSE(client.verify("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
}

TEST(ScramClientTest, RefusesFinalMessagesThatAreNone)
{
    const std::string right = "v=gKfLalpOYQPHgl9ks0uwXpkiGQARXmrePumuOrBQRUA=";
    for (const std::string& wrong :
         {std::string(), std::string("v="), std::string("v=AAAA"), right + ",x=1", right + ",",
          right.substr(0, right.size() - 1), std::string("e=other-error"), std::string("x=1"),
          right + std::string(5000, ' ')}) {
        ScramClient client = plain();
        (void)client.first();  // the nonce is what the test gave
        ASSERT_TRUE(client.final(server_first));
        EXPECT_FALSE(client.verify(wrong)) << wrong;
    }
}

TEST(ScramClientTest, TheNonceMustContinueOurs)
{
    const std::string rest = ",s=AAECAwQFBgcICQoLDA0ODw==,i=4096";
    for (const std::string& other : {std::string(), our_nonce, std::string("other"), "x" + nonce,
                                     nonce + " ", nonce + "\x80", nonce + std::string(1100, 'a')})
        EXPECT_FALSE(plain().final("r=" + other + rest)) << other;
}

TEST(ScramClientTest, IterationsAreBounded)
{
    const std::string start = "r=" + nonce + ",s=AAECAwQFBgcICQoLDA0ODw==,i=";
    for (const char* iterations : {"100001", "2147483647", "99999999999999999999"}) {
        const auto final = plain().final(start + iterations);
        ASSERT_FALSE(final);
        EXPECT_THAT(final.error().detail, HasSubstr("iterations"));
    }
    for (const char* iterations : {"", "0", "-1", "4096x", " 4096", "+4096", "0x10", "4096,"})
        EXPECT_FALSE(plain().final(start + iterations)) << iterations;
}

TEST(ScramClientTest, EveryCutAndEveryStrangeMessageIsRefused)
{
    for (std::size_t size = 0; size < server_first.size() - 3; ++size)
        EXPECT_FALSE(plain().final(server_first.substr(0, size))) << size;
    for (const std::string& wrong :
         {"m=ext," + server_first, server_first + ",x=1", "r=" + nonce + ",i=4096,s=AAECAwQF",
          "r=" + nonce + ",s=,i=4096", "r=" + nonce + ",s=!!!=,i=4096",
          "r=" + nonce + ",s=" + std::string(3000, 'A') + ",i=4096", std::string(10000, 'r')})
        EXPECT_FALSE(plain().final(wrong)) << wrong;
}

TEST(ScramClientTest, NoncesDiffer)
{
    EXPECT_NE(random_scram_nonce(), random_scram_nonce());
    EXPECT_EQ(random_scram_nonce().size(), 24U);
}

}  // namespace
}  // namespace sallyport::postgres
