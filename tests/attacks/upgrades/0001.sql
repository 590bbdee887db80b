BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
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
INSERT INTO "audit_events" VALUES('evt_03GANXBiNoq5Gu0XHHw0LB',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','tenant.founded','tenant','ten_03GANXBiJ5UkKk049xufWJ',NULL,NULL,'first run',NULL,NULL,'{"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMkqTJNxF9qAywX',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiOCVoZj0O6LoouR','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000000','127.0.0.1','{"display":"bf_key_03GA\u2026h7UI","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKaTHUbEuudT4dP',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiJcssThKSdsOfUK','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000001','127.0.0.1','{"display":"bf_key_03GA\u2026eVnN","name":"test","scopes":["payouts","read"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJupBLVIilSW3Se',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiNTKKY08XRagtNe','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000002','127.0.0.1','{"display":"bf_key_03GA\u20264NkY","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiIfpZY2BPIqIq1h',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiJLUsE7FEvzsjU3','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000003','127.0.0.1','{"display":"bf_key_03GA\u2026fe61","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiN8LTc4b1wicCl3',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiMCdp7Hek5VyDf9','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000004','127.0.0.1','{"display":"bf_key_03GA\u20262JG8","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJIMaDdaLdWsuRO',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiIWXqDj7CTJerLe','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000005','127.0.0.1','{"display":"bf_key_03GA\u2026h8TI","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNW1dsSSaPuCErv',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiLSkLUN8ITBHCvJ','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000006','127.0.0.1','{"display":"bf_key_03GA\u20262bq1","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJC3vdkNn7Hy2j2',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiO01tUehJX7wcf3','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000007','127.0.0.1','{"display":"bf_key_03GA\u2026DQB5","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiMdXHj0OJqDgBYg',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiIqNEQaRK9FsNfc','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000008','127.0.0.1','{"display":"bf_key_03GA\u2026qCQ2","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKhpZ5VyynzSBdD',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiMOOcaTWgOezdnq','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk00000009','127.0.0.1','{"display":"bf_key_03GA\u2026Wldp","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiJnMlP2O6WAqVUK"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNBixT3lgG5rF9W',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.disabled','api_key','key_03GANXBiLSkLUN8ITBHCvJ','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000A','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiL4KRa4GsgsM8oL',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.revoked','api_key','key_03GANXBiO01tUehJX7wcf3','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000B','127.0.0.1','{"reason":"leaked"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiNJP7c4FOft63Vq',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.rotated','api_key','key_03GANXBiIqNEQaRK9FsNfc','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000C','127.0.0.1','{"display":"bf_key_03GA\u2026eB71","overlap_seconds":60,"successor_id":"key_03GANXBiLPli6KhukTi9wF"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJeiczoPCoxP7jf',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.rotated','api_key','key_03GANXBiMOOcaTWgOezdnq','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000D','127.0.0.1','{"display":"bf_key_03GA\u2026NL9m","overlap_seconds":3600,"successor_id":"key_03GANXBiLvCHXavyXAvAxE"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiN5xcls0BUoXXjW',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.revoked','api_key','key_03GANXBiMOOcaTWgOezdnq','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000E','127.0.0.1','{}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiKmTe2A9V5Bx3f6',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','user.created','user','usr_03GANXBiMaFhT82UtHokAt','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000F','127.0.0.1','{"kind":"service","role":"member","scopes":null}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiLId6dHjIuWvihl',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','api_key.created','api_key','key_03GANXBiIvp8Rnk0xWzfXa','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000G','127.0.0.1','{"display":"bf_key_03GA\u2026kALa","name":"test","scopes":["read","write"],"user_id":"usr_03GANXBiMaFhT82UtHokAt"}');
INSERT INTO "audit_events" VALUES('evt_03GANXBiJTOcpMHlWPYiDA',1900000000000000,'ten_03GANXBiJ5UkKk049xufWJ','user.changed','user','usr_03GANXBiMaFhT82UtHokAt','usr_03GANXBiJnMlP2O6WAqVUK','key_03GANXBiLEHn69nndtwxNI','api','req_42mKLVkxhn7nTk0000000H','127.0.0.1','{"status":"disabled"}');
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
INSERT INTO "changes" VALUES(4,0,'tenant','ten_03GANXBiJ5UkKk049xufWJ',1900000000000000);
INSERT INTO "changes" VALUES(5,0,'user','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000);
INSERT INTO "changes" VALUES(6,0,'credential_created','key_03GANXBiLEHn69nndtwxNI',1900000000000000);
INSERT INTO "changes" VALUES(7,0,'credential_created','key_03GANXBiOCVoZj0O6LoouR',1900000000000000);
INSERT INTO "changes" VALUES(8,0,'credential_created','key_03GANXBiJcssThKSdsOfUK',1900000000000000);
INSERT INTO "changes" VALUES(9,0,'credential_created','key_03GANXBiNTKKY08XRagtNe',1900000000000000);
INSERT INTO "changes" VALUES(10,0,'credential_created','key_03GANXBiJLUsE7FEvzsjU3',1900000000000000);
INSERT INTO "changes" VALUES(11,0,'credential_created','key_03GANXBiMCdp7Hek5VyDf9',1900000000000000);
INSERT INTO "changes" VALUES(12,0,'credential_created','key_03GANXBiIWXqDj7CTJerLe',1900000000000000);
INSERT INTO "changes" VALUES(13,0,'credential_created','key_03GANXBiLSkLUN8ITBHCvJ',1900000000000000);
INSERT INTO "changes" VALUES(14,0,'credential_created','key_03GANXBiO01tUehJX7wcf3',1900000000000000);
INSERT INTO "changes" VALUES(15,0,'credential_created','key_03GANXBiIqNEQaRK9FsNfc',1900000000000000);
INSERT INTO "changes" VALUES(16,0,'credential_created','key_03GANXBiMOOcaTWgOezdnq',1900000000000000);
INSERT INTO "changes" VALUES(17,0,'credential','key_03GANXBiLSkLUN8ITBHCvJ',1900000000000000);
INSERT INTO "changes" VALUES(18,0,'credential','key_03GANXBiO01tUehJX7wcf3',1900000000000000);
INSERT INTO "changes" VALUES(19,0,'credential','key_03GANXBiIqNEQaRK9FsNfc',1900000000000000);
INSERT INTO "changes" VALUES(20,0,'credential_created','key_03GANXBiLPli6KhukTi9wF',1900000000000000);
INSERT INTO "changes" VALUES(21,0,'credential','key_03GANXBiMOOcaTWgOezdnq',1900000000000000);
INSERT INTO "changes" VALUES(22,0,'credential_created','key_03GANXBiLvCHXavyXAvAxE',1900000000000000);
INSERT INTO "changes" VALUES(23,0,'credential','key_03GANXBiMOOcaTWgOezdnq',1900000000000000);
INSERT INTO "changes" VALUES(24,0,'credential','key_03GANXBiLvCHXavyXAvAxE',1900000000000000);
INSERT INTO "changes" VALUES(25,0,'user','usr_03GANXBiMaFhT82UtHokAt',1900000000000000);
INSERT INTO "changes" VALUES(26,0,'credential_created','key_03GANXBiIvp8Rnk0xWzfXa',1900000000000000);
INSERT INTO "changes" VALUES(27,0,'user','usr_03GANXBiMaFhT82UtHokAt',1900000000000000);
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
INSERT INTO "credentials" VALUES('key_03GANXBiLEHn69nndtwxNI','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','admin','admin credentials:verify payouts read write','enterprise','active',NULL,NULL,NULL,'key_03GANXBiLEHn69nndtwxNI','','{}','bf_key_03GA…1nq6','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,1900000000000000,NULL,NULL,X'D91B6E7613C6F4704917454C4C808BA7F3CB6F5E1CFBACAFC0466AD4ECF7DCAA','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiOCVoZj0O6LoouR','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiOCVoZj0O6LoouR','','{}','bf_key_03GA…h7UI','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'7B53C7407EFA4D4CA59D78A932CD82E8FF05C63CD01628BC36C6C9535B658B59','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiJcssThKSdsOfUK','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','payouts read',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJcssThKSdsOfUK','','{}','bf_key_03GA…eVnN','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'3E6336731F42F026E38E1E69E7725776A3068E68AEA512003FA6BA54CE2E1BCB','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiNTKKY08XRagtNe','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiNTKKY08XRagtNe','192.0.2.0/24','{}','bf_key_03GA…4NkY','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2E43D16477CB25621D221F9D6DEE7A886601E8DE26C128B21DD52FC43F24097A','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiJLUsE7FEvzsjU3','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiJLUsE7FEvzsjU3','127.0.0.1/32 ::1/128','{"note":"\u00e9"}','bf_key_03GA…fe61','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'9B378D37FDC7D13D5A05D8D17047B1BAD61FD738962A1F9652532193AC0326CE','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMCdp7Hek5VyDf9','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',2215360000000000,NULL,NULL,'key_03GANXBiMCdp7Hek5VyDf9','','{}','bf_key_03GA…2JG8','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'CC2AC4B2396DBCF4153C43C77C7C59FE4D31FFA5A225772CD5DB74CB9EDC10FF','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIWXqDj7CTJerLe','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',1900000060000000,NULL,NULL,'key_03GANXBiIWXqDj7CTJerLe','','{}','bf_key_03GA…h8TI','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'68DB8EC311FAE0AD2645DB4FE0A9C123E83427611815D93205F91EA7DB4D5246','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiLSkLUN8ITBHCvJ','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'disabled',NULL,NULL,NULL,'key_03GANXBiLSkLUN8ITBHCvJ','','{}','bf_key_03GA…2bq1','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'6A5276177E863B97D67562EEE312AFBBEEFF11E75B90E45AD2FC17CBDE7AF904','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiO01tUehJX7wcf3','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'revoked',NULL,NULL,NULL,'key_03GANXBiO01tUehJX7wcf3','','{}','bf_key_03GA…DQB5','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,1900000000000000,'leaked',X'6571424B9144B147D8909EBBA7D4E3C0C39E109138298B81D3976D326A8C8DD4','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIqNEQaRK9FsNfc','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',NULL,1900000060000000,NULL,'key_03GANXBiIqNEQaRK9FsNfc','','{}','bf_key_03GA…qCQ2','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'26A69F3E0648E684620CF6741BCB344FA1B478FFFE447338B99B017E99BF60C4','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiMOOcaTWgOezdnq','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'revoked',NULL,1900003600000000,NULL,'key_03GANXBiMOOcaTWgOezdnq','','{}','bf_key_03GA…Wldp','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,1900000000000000,NULL,X'D5F41A969757AE76687164ADF23C22225B3D8D55E467A576D285B30DC8850C10','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiLPli6KhukTi9wF','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'active',NULL,NULL,'key_03GANXBiIqNEQaRK9FsNfc','key_03GANXBiIqNEQaRK9FsNfc','','{}','bf_key_03GA…eB71','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'2A9669E19D2714E59E1047DD361DC1CD16DB6C08BDF9EC508D068B3365FFED09','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiLvCHXavyXAvAxE','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiJnMlP2O6WAqVUK','test','read write',NULL,'revoked',NULL,NULL,'key_03GANXBiMOOcaTWgOezdnq','key_03GANXBiMOOcaTWgOezdnq','','{}','bf_key_03GA…NL9m','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,1900000000000000,'parent revoked',X'9D6CD8602F3EE02287A37C5E820386DEE2DA272006EFF3C4DD9324360016A5ED','e18a51f90c52');
INSERT INTO "credentials" VALUES('key_03GANXBiIvp8Rnk0xWzfXa','api_key','ten_03GANXBiJ5UkKk049xufWJ','usr_03GANXBiMaFhT82UtHokAt','test','read write',NULL,'active',NULL,NULL,NULL,'key_03GANXBiIvp8Rnk0xWzfXa','','{}','bf_key_03GA…kALa','usr_03GANXBiJnMlP2O6WAqVUK',1900000000000000,1900000000000000,NULL,NULL,NULL,X'437718D2F9A5CA73B9671138087AC8E0AF651953C974E54489A4CC5694E52DA4','e18a51f90c52');
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
INSERT INTO "passwords" VALUES('usr_03GANXBiJnMlP2O6WAqVUK','person','$argon2id$v=19$m=19456,t=2,p=1$GttUcQqZjGizBqz13rai1g$PUCqtIg+0HzBQgff92mFLXm2ZcCOBiL4go2eUWRvkbM',1900000000000000);
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
INSERT INTO "tenants" VALUES('ten_03GANXBiJ5UkKk049xufWJ','default','active','free',1,1900000000000000,1900000000000000);
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
INSERT INTO "users" VALUES('usr_03GANXBiJnMlP2O6WAqVUK','ten_03GANXBiJ5UkKk049xufWJ','person','admin@example.com','admin@example.com','admin@example.com','owner',NULL,'active',1900000000000000,1900000000000000);
INSERT INTO "users" VALUES('usr_03GANXBiMaFhT82UtHokAt','ten_03GANXBiJ5UkKk049xufWJ','service',NULL,NULL,'retired','member',NULL,'disabled',1900000000000000,1900000000000000);
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
