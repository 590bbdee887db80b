BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE audit_events (
        id TEXT NOT NULL,
        at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        action TEXT NOT NULL,
        subject_kind TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor_user_id TEXT,
        actor_credential_id TEXT,
        actor_via TEXT NOT NULL,
        actor_request_id TEXT,
        actor_address TEXT,
        details TEXT NOT NULL,
        CONSTRAINT pk_audit_events PRIMARY KEY (id)
    );
INSERT INTO "audit_events" VALUES('evt_03GANXBiMD2ziXk1r4Y6ba',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','tenant.founded','tenant','ten_03GANXBiKeekvn8fmCb0Wy',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMETDRPJvBmqF6D',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiMUoUcuE7OGURXj','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000000','127.0.0.1','{"display":"bf_key_03GA\u2026MMLL","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNX1wy4HU8k6pjr',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiNi4RbHuLidJ03j','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000001','127.0.0.1','{"display":"bf_key_03GA\u20266mCv","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiO8DAHsfb3sVOqb',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiMsZqb3Q2679601','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000002','127.0.0.1','{"display":"bf_key_03GA\u2026TEX7","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMaam3Fd9wmkdSo',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiJFgvj6ai030CDU','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000003','127.0.0.1','{"display":"bf_key_03GA\u2026ifzy","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOIyup4suKd24ND',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiO9WOCHxfcGoLfH','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000004','127.0.0.1','{"display":"bf_key_03GA\u2026n4ko","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiN5u8kVNy4OoAgQ',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiIO376ZXUTqn8Lv','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000005','127.0.0.1','{"display":"bf_key_03GA\u2026YvNg","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNcZLdEIbaqePPb',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiLnTL6fhtFYYPHf','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000006','127.0.0.1','{"display":"bf_key_03GA\u20263aLu","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKxSLZsWjwK7j1g',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiIilM1BjBDqUujD','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000007','127.0.0.1','{"display":"bf_key_03GA\u2026gKm1","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMSAMGAbrehkYAQ',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiKEh46KXKS2NyWZ','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000008','127.0.0.1','{"display":"bf_key_03GA\u2026zrkO","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiOIasS3BjYFCeEf',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiIm8Cp5uoBTfJ4H','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V00000009','127.0.0.1','{"display":"bf_key_03GA\u2026ZQsr","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMXRDOLxzGfXH5a"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJ3xDlSztm1CDBJ',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.disabled','api_key','key_03GANXBiLnTL6fhtFYYPHf','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIY7uvgT5BSvq5a',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.revoked','api_key','key_03GANXBiIilM1BjBDqUujD','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIVaQeZM3uyL4q5',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.rotated','api_key','key_03GANXBiKEh46KXKS2NyWZ','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026QWn1","overlap_seconds":60,"successor_id":"key_03GANXBiNNAtChNOWqfbCS"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNTqE87XS7zAead',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.rotated','api_key','key_03GANXBiIm8Cp5uoBTfJ4H','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000D','127.0.0.1','{"display":"bf_key_03GA\u202607fJ","overlap_seconds":3600,"successor_id":"key_03GANXBiMRQLjlTFs4PZc7"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMu37sDpN6RScpY',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.revoked','api_key','key_03GANXBiIm8Cp5uoBTfJ4H','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJhEwJGbO8uPp7P',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','user.created','user','usr_03GANXBiNZ6vcCLyQRcbhD','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMD8P0ecCpLfJSC',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','api_key.created','api_key','key_03GANXBiKWKfhq47KB7uWe','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026Hpa1","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiNZ6vcCLyQRcbhD"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiO5IkHrA7t1zG1x',1900000000000000,'ten_03GANXBiKeekvn8fmCb0Wy','user.changed','user','usr_03GANXBiNZ6vcCLyQRcbhD','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','api','req_063vs1LKUVrR2V0000000H','127.0.0.1','{"status":"disabled"}');
CREATE TABLE changes (
        sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        transaction_id BIGINT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        subject_id TEXT NOT NULL,
        at BIGINT NOT NULL,
        CONSTRAINT ck_changes_kind CHECK (kind IN ('credential_created', 'credential', 'user', 'tenant', 'plan'))
    );
INSERT INTO "changes" VALUES(1,0,'plan','free',1900000000000000);
INSERT INTO "changes" VALUES(2,0,'plan','pro',1900000000000000);
INSERT INTO "changes" VALUES(3,0,'plan','enterprise',1900000000000000);
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiKeekvn8fmCb0Wy',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiLDOMv4rJXfVLlZ',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiMUoUcuE7OGURXj',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiNi4RbHuLidJ03j',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiMsZqb3Q2679601',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiJFgvj6ai030CDU',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiO9WOCHxfcGoLfH',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiIO376ZXUTqn8Lv',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiLnTL6fhtFYYPHf',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiIilM1BjBDqUujD',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiKEh46KXKS2NyWZ',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiIm8Cp5uoBTfJ4H',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiLnTL6fhtFYYPHf',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiIilM1BjBDqUujD',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiKEh46KXKS2NyWZ',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiNNAtChNOWqfbCS',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiIm8Cp5uoBTfJ4H',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiMRQLjlTFs4PZc7',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiIm8Cp5uoBTfJ4H',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiMRQLjlTFs4PZc7',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiNZ6vcCLyQRcbhD',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiKWKfhq47KB7uWe',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiNZ6vcCLyQRcbhD',1900000000000000);
CREATE TABLE credentials (
        id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        name TEXT NOT NULL,
        scopes TEXT NOT NULL,
        plan TEXT,
        status VARCHAR(32) NOT NULL,
        expires_at BIGINT,
        overlap_ends_at BIGINT,
        parent_id TEXT,
        root_id TEXT NOT NULL,
        allowed_ips TEXT NOT NULL,
        metadata TEXT NOT NULL,
        display TEXT NOT NULL,
        created_by TEXT,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        last_used_at BIGINT,
        revoked_at BIGINT,
        revocation_reason TEXT,
        digest BLOB NOT NULL,
        pepper_id TEXT NOT NULL,
        CONSTRAINT pk_credentials PRIMARY KEY (id),
        CONSTRAINT fk_credentials_tenant_id_user_id FOREIGN KEY(tenant_id, user_id) REFERENCES users (tenant_id, id),
        CONSTRAINT fk_credentials_tenant_id_parent_id FOREIGN KEY(tenant_id, parent_id) REFERENCES credentials (tenant_id, id),
        CONSTRAINT uq_credentials_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT ck_credentials_digest_length CHECK (length(digest) = 32),
        CONSTRAINT ck_credentials_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_credentials_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_credentials_metadata_length CHECK (length(metadata) <= 131072),
        CONSTRAINT ck_credentials_lineage CHECK ((parent_id IS NULL) = (root_id = id)),
        CONSTRAINT ck_credentials_revoked CHECK ((status = 'revoked') = (revoked_at IS NOT NULL)),
        CONSTRAINT ck_credentials_revocation_reason CHECK (revocation_reason IS NULL OR status = 'revoked'),
        CONSTRAINT ck_credentials_kind CHECK (kind IN ('api_key', 'bearer_token', 'personal_access_token', 'oauth_access_token', 'jwt_session')),
        CONSTRAINT fk_credentials_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL,
        CONSTRAINT ck_credentials_status CHECK (status IN ('active', 'disabled', 'revoked')),
        CONSTRAINT uq_credentials_digest UNIQUE (digest)
    );
INSERT INTO "credentials" VALUES('key_03GANXBiLDOMv4rJXfVLlZ','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiLDOMv4rJXfVLlZ','','{}','bf_key_03GA…su4R','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'1818918B22191A970E6ACC92BBA0CAF3F812DE39DB8B25AA6E53B54E08242D8C','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMUoUcuE7OGURXj','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMUoUcuE7OGURXj','','{}','bf_key_03GA…MMLL','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'B67C8AD974CFF6DBDAED43646A71E0E5282D58065AE2AC127F60D4F95FF91C51','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiNi4RbHuLidJ03j','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNi4RbHuLidJ03j','','{}','bf_key_03GA…6mCv','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2AEFB8A9C96150CB8447DFF4090BAB3C1F386F3C4F1DA0521909C00250EC5CC4','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMsZqb3Q2679601','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiMsZqb3Q2679601','192.0.2.0/24','{}','bf_key_03GA…TEX7','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'3E02EC625D24274F2602AA93920AE12DA59CF3865756BDD6D721B1B1D2E2B792','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiJFgvj6ai030CDU','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJFgvj6ai030CDU','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…ifzy','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'F9D3A9764EC0B3AF87DD9A13F2FD57100639FF5761FF6B3975B9759208851357','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiO9WOCHxfcGoLfH','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiO9WOCHxfcGoLfH','','{}','bf_key_03GA…n4ko','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'9DA365EC9D092BBABF479DF8F8C5DAB11891BFD6A7CA3310A12899BDA2B56382','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIO376ZXUTqn8Lv','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiIO376ZXUTqn8Lv','','{}','bf_key_03GA…YvNg','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'7326243422992CA14064AC1E649422710B6E8FB57B4ECA646B96F466EEF16659','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiLnTL6fhtFYYPHf','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiLnTL6fhtFYYPHf','','{}','bf_key_03GA…3aLu','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'374E08CE909C9B5E630C954AEE45935F56AA27EF5D8FAA48E7D61D978DB6B2AF','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIilM1BjBDqUujD','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiIilM1BjBDqUujD','','{}','bf_key_03GA…gKm1','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'D2C6062185338CB14BB7A173064860EC6537CEE036EDE4024795EDEC3AF02A7E','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiKEh46KXKS2NyWZ','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiKEh46KXKS2NyWZ','','{}','bf_key_03GA…zrkO','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'EB5CAFCD6785968FBA7D8607D9160CCBC878F599A6F1964D7376B586CB7C2DB9','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIm8Cp5uoBTfJ4H','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiIm8Cp5uoBTfJ4H','','{}','bf_key_03GA…ZQsr','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'6C81A19C5942D0081790CC13F32D4EB7B09D2B45279DF896D117D1B6391FEEE2','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiNNAtChNOWqfbCS','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiKEh46KXKS2NyWZ','key_03GANXBiKEh46KXKS2NyWZ','','{}','bf_key_03GA…QWn1','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'6049D86A2B71DAAF29A1225B559340C12D8AB9BC4207D02026E3032AE7FA73BD','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMRQLjlTFs4PZc7','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiIm8Cp5uoBTfJ4H','key_03GANXBiIm8Cp5uoBTfJ4H','','{}','bf_key_03GA…07fJ','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'A1721824BB75FD870FF9AD2D6580729B411BAAEC90BE0C4513D55D4FC2C26183','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiKWKfhq47KB7uWe','api_key','ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiNZ6vcCLyQRcbhD','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiKWKfhq47KB7uWe','','{}','bf_key_03GA…Hpa1','usr_03GANXBiMXRDOLxzGfXH5a',1900000000000000,1900000000000000,NULL,NULL,NULL,X'A13CC35521A2F71523FC3F6003138B548DA8AE504FEBD7D33F6C5FA5263C4A73','e18a51f90c52');
CREATE TABLE feed_bounds (
        id BIGINT NOT NULL,
        pruned_through BIGINT NOT NULL,
        CONSTRAINT pk_feed_bounds PRIMARY KEY (id),
        CONSTRAINT ck_feed_bounds_single CHECK (id = 1)
    );
INSERT INTO "feed_bounds" VALUES(1,0);
CREATE TABLE idempotency_claims (
        key_digest BLOB NOT NULL,
        request_digest BLOB NOT NULL,
        sealed_answer BLOB NOT NULL,
        expires_at BIGINT NOT NULL,
        CONSTRAINT pk_idempotency_claims PRIMARY KEY (key_digest)
    );
CREATE TABLE passwords (
        user_id TEXT NOT NULL,
        user_kind VARCHAR(32) NOT NULL,
        hash TEXT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_passwords PRIMARY KEY (user_id),
        CONSTRAINT fk_passwords_user_id_user_kind FOREIGN KEY(user_id, user_kind) REFERENCES users (id, kind),
        CONSTRAINT ck_passwords_person CHECK (user_kind = 'person'),
        CONSTRAINT ck_passwords_hash_length CHECK (length(hash) BETWEEN 1 AND 1024),
        CONSTRAINT ck_passwords_user_kind CHECK (user_kind IN ('person', 'service'))
    );
INSERT INTO "passwords" VALUES('usr_03GANXBiMXRDOLxzGfXH5a','person','$argon2id$v=19$m=19456,t=2,p=1$DCk7Q8bGPyAdOCkJxyll0w$w26gOWpyZp+KQs3yESI63fVUzutyn1nRcN2ahhe2Z00',1900000000000000);
CREATE TABLE plans (
        name TEXT NOT NULL,
        requests_per_hour BIGINT,
        burst BIGINT,
        per_method TEXT NOT NULL,
        count_by VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_plans PRIMARY KEY (name),
        CONSTRAINT ck_plans_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_plans_requests_per_hour CHECK (requests_per_hour >= 0),
        CONSTRAINT ck_plans_burst CHECK (burst >= 0),
        CONSTRAINT ck_plans_count_by CHECK (count_by IN ('credential', 'user', 'tenant'))
    );
INSERT INTO "plans" VALUES('free',1000,50,'{"api_key":1000,"bearer_token":2000,"jwt_session":2000,"oauth_access_token":5000,"personal_access_token":1000}','credential',1900000000000000,1900000000000000);
INSERT INTO "plans" VALUES('pro',10000,200,'{}','credential',1900000000000000,1900000000000000);
INSERT INTO "plans" VALUES('enterprise',NULL,1000,'{}','credential',1900000000000000,1900000000000000);
CREATE TABLE tenants (
        id TEXT NOT NULL,
        name TEXT NOT NULL,
        status VARCHAR(32) NOT NULL,
        plan TEXT,
        operator BOOLEAN NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_tenants PRIMARY KEY (id),
        CONSTRAINT ck_tenants_name_length CHECK (length(name) BETWEEN 1 AND 255),
        CONSTRAINT ck_tenants_plan CHECK (plan IS NOT NULL OR status = 'deleted'),
        CONSTRAINT ck_tenants_operator_active CHECK (NOT operator OR status = 'active'),
        CONSTRAINT ck_tenants_status CHECK (status IN ('active', 'disabled', 'deleted')),
        CONSTRAINT fk_tenants_plan FOREIGN KEY(plan) REFERENCES plans (name) ON DELETE SET NULL
    );
INSERT INTO "tenants" VALUES('ten_03GANXBiKeekvn8fmCb0Wy','default','active','free',1,1900000000000000,1900000000000000);
CREATE TABLE usage_counts (
        span BIGINT NOT NULL,
        starts_at BIGINT NOT NULL,
        tenant_id TEXT NOT NULL,
        user_id TEXT NOT NULL,
        credential_id TEXT NOT NULL,
        outcome TEXT NOT NULL,
        requests BIGINT NOT NULL,
        CONSTRAINT pk_usage_counts PRIMARY KEY (span, starts_at, tenant_id, user_id, credential_id, outcome),
        CONSTRAINT ck_usage_counts_span CHECK (span IN (60, 3600, 86400)),
        CONSTRAINT ck_usage_counts_requests CHECK (requests > 0)
    ) WITHOUT ROWID
    ;
INSERT INTO "usage_counts" VALUES(60,1899999960000000,'ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','accepted',18);
INSERT INTO "usage_counts" VALUES(3600,1899997200000000,'ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','accepted',18);
INSERT INTO "usage_counts" VALUES(86400,1899936000000000,'ten_03GANXBiKeekvn8fmCb0Wy','usr_03GANXBiMXRDOLxzGfXH5a','key_03GANXBiLDOMv4rJXfVLlZ','accepted',18);
CREATE TABLE usage_writers (
        id TEXT NOT NULL,
        batch BIGINT NOT NULL,
        written_at BIGINT NOT NULL,
        CONSTRAINT pk_usage_writers PRIMARY KEY (id)
    );
INSERT INTO "usage_writers" VALUES('9d15856e0591b82bc738f8d6acda9785',7,1900000000000000);
CREATE TABLE users (
        id TEXT NOT NULL,
        tenant_id TEXT NOT NULL,
        kind VARCHAR(32) NOT NULL,
        email TEXT,
        email_folded TEXT,
        name TEXT NOT NULL,
        role VARCHAR(32) NOT NULL,
        scopes TEXT,
        status VARCHAR(32) NOT NULL,
        created_at BIGINT NOT NULL,
        updated_at BIGINT NOT NULL,
        CONSTRAINT pk_users PRIMARY KEY (id),
        CONSTRAINT uq_users_tenant_id_id UNIQUE (tenant_id, id),
        CONSTRAINT uq_users_id_kind UNIQUE (id, kind),
        CONSTRAINT ck_users_name_length CHECK (length(name) <= 255),
        CONSTRAINT ck_users_email_length CHECK (length(email) BETWEEN 1 AND 320),
        CONSTRAINT ck_users_scopes_length CHECK (length(scopes) <= 8192),
        CONSTRAINT ck_users_email_folded CHECK ((email IS NULL) = (email_folded IS NULL)),
        CONSTRAINT fk_users_tenant_id FOREIGN KEY(tenant_id) REFERENCES tenants (id),
        CONSTRAINT ck_users_kind CHECK (kind IN ('person', 'service')),
        CONSTRAINT ck_users_role CHECK (role IN ('owner', 'admin', 'member')),
        CONSTRAINT ck_users_status CHECK (status IN ('active', 'disabled', 'deleted'))
    );
INSERT INTO "users" VALUES('usr_03GANXBiMXRDOLxzGfXH5a','ten_03GANXBiKeekvn8fmCb0Wy','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiNZ6vcCLyQRcbhD','ten_03GANXBiKeekvn8fmCb0Wy','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
CREATE INDEX ix_plans_created ON plans (created_at, name);
CREATE INDEX ix_tenants_created ON tenants (created_at, id);
CREATE INDEX ix_tenants_plan ON tenants (plan);
CREATE UNIQUE INDEX uq_tenants_name ON tenants (name) WHERE status <> 'deleted';
CREATE UNIQUE INDEX uq_tenants_operator ON tenants (operator) WHERE operator;
CREATE INDEX ix_users_created ON users (created_at, id);
CREATE INDEX ix_users_tenant_created ON users (tenant_id, created_at, id);
CREATE UNIQUE INDEX uq_users_email ON users (tenant_id, email_folded) WHERE status <> 'deleted';
CREATE INDEX ix_credentials_created ON credentials (created_at, id);
CREATE INDEX ix_credentials_parent ON credentials (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_credentials_plan ON credentials (plan) WHERE plan IS NOT NULL;
CREATE INDEX ix_credentials_tenant_created ON credentials (tenant_id, created_at, id);
CREATE INDEX ix_credentials_user_created ON credentials (user_id, created_at, id);
CREATE INDEX ix_audit_events_at ON audit_events (at, id);
CREATE INDEX ix_audit_events_subject ON audit_events (subject_id, at, id);
CREATE INDEX ix_audit_events_tenant_at ON audit_events (tenant_id, at, id);
CREATE INDEX ix_changes_transaction ON changes (transaction_id);
CREATE INDEX ix_idempotency_claims_expires ON idempotency_claims (expires_at);
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('changes',27);
COMMIT;
