// What edits do to devices is in inventory_test.cpp and presence_test.cpp.
#include "ingest/device_edit.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace backplane::ingest {
namespace {

TEST(DeviceEdit, ReadsBackWhatItWrites) {
  const DeviceEdit edit{
      .device = 3, .set = {{"name", "x"}, {"owner", std::nullopt}}, .lock = {"name"}, .unlock = {"ip"}};
  const auto back = DecodeEdit(EncodeEdit(edit));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->device, 3);
  EXPECT_EQ(back->set, edit.set);
  EXPECT_EQ(back->lock, edit.lock);
  EXPECT_EQ(back->unlock, edit.unlock);
}

TEST(DeviceEdit, ValuesMayBeGivenAsWhatTheyAre) {
  const auto edit = DecodeEdit(*ParseJson(
      R"({"set":{"favorite":true,"archived":"0","is_new":false,"skip_repeated":12,"force_status":"online","owner":""}})"));
  ASSERT_TRUE(edit) << edit.error().message;
  EXPECT_EQ(edit->set.at("favorite"), "1");
  EXPECT_EQ(edit->set.at("archived"), "0");
  EXPECT_EQ(edit->set.at("is_new"), "0");
  EXPECT_EQ(edit->set.at("skip_repeated"), "12");
  EXPECT_EQ(edit->set.at("force_status"), "online");
  EXPECT_EQ(edit->set.at("owner"), "");
  const std::pair<const char*, const char*> refused[] = {
      {R"({"set":{"favorite":"yes"}})",
       "favorite is true or false, or 1 or 0 as a text, or null to take yours back; not \"yes\""},
      {R"({"set":{"favorite":1}})",
       "favorite is true or false, or 1 or 0 as a text, or null to take yours back; not 1"},
      {R"({"set":{"skip_repeated":-1}})", "skip_repeated is a whole number from 0, or null to take yours back; not -1"},
      {R"({"set":{"skip_repeated":"1.5"}})",
       "skip_repeated is a whole number from 0, or null to take yours back; not \"1.5\""},
      {R"({"set":{"force_status":"up"}})",
       "force_status is online or offline, or empty for neither, or null to take yours back; not \"up\""},
      {R"({"set":{"name":true}})", "name is a text, or null to take yours back; not true"}};
  for (const auto& [text, message] : refused) {
    const auto one = DecodeEdit(*ParseJson(text));
    ASSERT_FALSE(one) << text;
    EXPECT_EQ(one.error().message, message);
  }
}

TEST(DeviceEdit, RefusalsNameTheField) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"set":{"nmae":"x"}})", "set.nmae"}, {R"({"set":{"name":5}})", "set.name"}, {R"({"set":[]})", "set"},
      {R"({"lock":["nmae"]})", "lock"},        {R"({"unlock":[1]})", "unlock"},       {R"({"lock":"name"})", "lock"},
      {R"({"device":"1"})", "device"},         {R"({"other":1})", "other"},           {"[]", ""},
  };
  for (const auto& [text, where] : cases) {
    const auto edit = DecodeEdit(*ParseJson(text));
    ASSERT_FALSE(edit) << text;
    EXPECT_EQ(edit.error().code, Errc::kInvalid) << text;
    EXPECT_EQ(edit.error().where, where) << text;
  }
  EXPECT_FALSE(DecodeEdit({{"set", {{"name", std::string(4097, 'x')}}}}));
  EXPECT_TRUE(DecodeEdit({{"set", {{"name", std::string(4096, 'x')}}}}));
}

}  // namespace
}  // namespace backplane::ingest
