// Runs the tests and stops the cluster they shared.

#include <gtest/gtest.h>

#include "tests/audit/store/store_fixture.h"

int main(int count, char** arguments)
{
    testing::InitGoogleTest(&count, arguments);
    const int result = RUN_ALL_TESTS();
    sallyport::TestCluster::end();
    return result;
}
