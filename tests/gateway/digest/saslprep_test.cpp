#include "gateway/digest/saslprep.h"

#include <gtest/gtest.h>
#include <string>

namespace sallyport::testing {
namespace {

std::string prepared(const std::string& password)
{
    return std::string(saslprep(Secret(password)).reveal());
}

TEST(SaslprepTest, LeavesAsciiAsItIs)
{
    for (const char* password : {"", "pencil", " two  words ", "tab\there", "\x7f\x01"})
        EXPECT_EQ(prepared(password), password);
}

TEST(SaslprepTest, PreparesAsRfc4013Says)
{
    EXPECT_EQ(prepared("I\u00adX"), "IX");     // soft hyphen: mapped to nothing
    EXPECT_EQ(prepared("\u00aa"), "a");        // feminine ordinal indicator, by NFKC
    EXPECT_EQ(prepared("\u2168"), "IX");       // roman numeral nine
    EXPECT_EQ(prepared("a\u00a0b"), "a b");    // no-break space
    EXPECT_EQ(prepared("e\u0301"), "\u00e9");  // composed
    EXPECT_EQ(prepared("\u00e9t\u00e9"), "\u00e9t\u00e9");
    EXPECT_EQ(prepared("\ufdfa").size(), 33U);  // one character becomes eighteen
}

TEST(SaslprepTest, UsesWhatCannotBePreparedAsItIs)
{
    for (const std::string& password :
         {std::string("\xff\xfe not UTF-8"), std::string("caf\xe9"), std::string("\u00e9\x07"),
          std::string("\u0627\u0031"), std::string("\u0221"), std::string("\u00ad"),
          std::string("\u00e9\0x", 4)})
        EXPECT_EQ(prepared(password), password);
}

}  // namespace
}  // namespace sallyport::testing
